import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { once, until } from '../../test/support/waits.ts';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { CLUSTER_PROTOCOL } from '../cluster/parse-announcement.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { readProof } from '../ports/mesh/mesh-proof.ts';
import { ClusterMesh, otherProtocol } from './cluster-mesh.ts';

/** What a node has announced that nothing listens for, unless `more` says otherwise. */
function announced(more: Partial<NodeAnnouncement> = {}): NodeAnnouncement {
  return {
    ...{ protocol: CLUSTER_PROTOCOL, node: 'r2', boot: 'r2', sequence: 1, url: 'ws://127.0.0.1:9/', version: '2' },
    ...{ networks: ['default'], load: { tunnels: 0, mostTunnels: 1, loopDelayMs: 0 }, isDraining: false, detours: {} },
    ...more,
  };
}

/** The mesh of the node r1, of whose listener no other node knows; it dials at most two tunnels of automatic networks. */
function meshWith(
  t: TestContext,
  members: ReadonlyMap<string, NodeAnnouncement>,
  keys: () => readonly Buffer[] = () => [Buffer.alloc(32)],
): { mesh: ClusterMesh; etherSwitch: Switch } {
  const etherSwitch = new Switch();
  const listener = {
    callerOf: () => ({ address: '192.0.2.1', tcpPort: undefined }),
    route: () => undefined,
    routeBelow: () => undefined,
  };
  const mesh = new ClusterMesh({
    ...{ node: 'r1', boot: 'r1', etherSwitch, cacertsFile: undefined, congestion: undefined, logger: SILENT },
    ...{ keys, memberOf: (node: string) => members.get(node), members: () => members.values() },
    ...{ mostAutoLinks: 2, tunnels: { counters: new EndpointCounters(), listener, path: '/' } },
  });
  t.after(() => etherSwitch.close());
  t.after(() => mesh.close());
  return { mesh, etherSwitch };
}

test('without the key of the cluster tunnels that are no longer wanted are closed, and the others stay', (t) => {
  const members = new Map(['r2', 'r3'].map((node) => [node, announced({ node })]));
  let keys = [Buffer.alloc(32)];
  const { mesh } = meshWith(t, members, () => keys);
  const own = { node: 'r1', url: null, networks: ['default'] };
  const nodes = () => mesh.links().map(({ node }) => node);
  mesh.reconcile(own);
  assert.deepEqual(nodes(), ['r2', 'r3']);
  keys = [];
  members.delete('r3');
  members.set('r4', announced({ node: 'r4' }));
  mesh.reconcile(own);
  assert.deepEqual(nodes(), ['r2']);
});

for (const protocol of [1, 3]) {
  test(`a node of cluster protocol ${protocol} gets no proof, and the reason has both numbers`, async (t) => {
    const old = announced({ protocol, version: '2.0.0-alpha' });
    const { mesh } = meshWith(t, new Map([['r2', old]]));
    mesh.reconcile({ node: 'r1', url: null, networks: ['default'] });
    await until(() => mesh.links()[0]?.reason?.includes(`cluster protocol ${protocol}, this one 2`) === true);
    const { message, hint } = otherProtocol(old);
    assert.equal(message, `The node r2 (2.0.0-alpha) has cluster protocol ${protocol}, this one 2`);
    assert.doesNotMatch(hint ?? '', /2\.0/, 'both may be 2.0');
  });
}

/** A node at its bound, which notes what it is asked for. */
async function fullNode(t: TestContext): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 503 Full\r\nRetry-After: 1\r\nEtherws-Mesh-Full: 1\r\nContent-Length: 0\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

test('a node that has too many automatic networks is left alone for a while, and holds no room', async (t) => {
  const { url, asked } = await fullNode(t);
  const rooms = ['a', 'b', 'c'];
  const full = announced({ url, networks: rooms });
  const members = new Map([['r2', full]]);
  const { mesh, etherSwitch } = meshWith(t, members);
  for (const room of rooms) {
    etherSwitch.addNetwork(room, {}, 'somewhere');
    etherSwitch.attach(new MemoryPort(), { network: room });
  }
  const own = { node: 'r1', url: null, networks: rooms };
  mesh.reconcile(own);
  assert.equal(mesh.links().length, 2);
  assert.equal(mesh.hasRoomAgain, false, 'nothing has ended');
  await until(() => mesh.links().length === 0);
  assert.equal(mesh.hasRoomAgain, true);
  mesh.reconcile(own);
  assert.deepEqual([mesh.links().length, mesh.left.length, mesh.hasRoomAgain], [0, 3, false]);
  assert.equal(asked.length, 2);
  // Another start of the node is another node.
  members.set('r2', { ...full, boot: 'again' });
  mesh.reconcile(own);
  assert.deepEqual([mesh.links().length, mesh.left.length], [2, 1]);
});

test('a node to which a network of the operator is automatic, and one too many, is dialled again after a rest', async (t) => {
  const { url, asked } = await fullNode(t);
  const { mesh, etherSwitch } = meshWith(t, new Map([['r2', announced({ url, networks: ['office'] })]]));
  etherSwitch.addNetwork('office', {});
  etherSwitch.attach(new MemoryPort(), { network: 'office' });
  mesh.reconcile({ node: 'r1', url: null, networks: ['office'] });
  await until(() => mesh.links()[0]?.reason?.startsWith('next try in ') === true);
  assert.match(mesh.links()[0]?.reason ?? '', /^next try in 1[01] s: /);
  assert.deepEqual([asked.length, mesh.left.length, mesh.hasRoomAgain], [1, 0, false]);
});

test('attempts that do not connect take no numbers of proofs', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const members = new Map([['r2', announced({ url: `ws://127.0.0.1:${port}/` })]]);
  const key = Buffer.alloc(32);
  const { mesh } = meshWith(t, members, () => [key]);
  mesh.reconcile({ node: 'r1', url: null, networks: ['default'] });
  await until(() => mesh.links()[0]?.reason?.includes('Nothing listens') === true);
  const numbers: (number | undefined)[] = [];
  const server = createServer().on('upgrade', ({ headers }: IncomingMessage, socket: Duplex) => {
    numbers.push(readProof(headers.authorization?.slice('Bearer '.length) ?? '', [key])?.claim.number);
    socket.destroy();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  await until(() => numbers.length > 1);
  assert.deepEqual(numbers.slice(0, 2), [1, 2]);
});

test('a stream that cannot be asked for leaves no connection to the node', async (t) => {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => sockets.push(socket.resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { mesh } = meshWith(t, new Map([['r2', announced({ url })]]), () => []);
  const ended = { notified: () => undefined, ended: () => undefined };
  const withMany = { user: 'ann', networks: Array.from({ length: 4000 }, (_, index) => `network${index}`) };
  await assert.rejects(mesh.openStream('r2', withMany, 'subscribe', {}, ended), { code: 'REQUEST_REFUSED' });
  await assert.rejects(mesh.openStream('r2', { user: 'ann', networks: null }, 'subscribe', {}, ended), {
    code: 'CLUSTER_UNAVAILABLE',
    message: /key of the cluster/,
  });
  await until(() => sockets.length === 1 && sockets[0]?.closed === true);
});
