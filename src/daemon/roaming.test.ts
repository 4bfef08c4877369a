import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { PortRecorder, testFrame } from '../../test/support/port-recorder.ts';
import { RoamingNode, type RoamingNodeOptions, TestNodes } from '../../test/support/roaming-node.ts';
import { once, until } from '../../test/support/waits.ts';
import { MemoryHub, MemoryStore } from '../cluster/memory-store.ts';
import { NO_TUNNEL_RULES } from '../config/policy-file.ts';
import { SILENT } from '../observability/logger.ts';
import type { ClientPort } from '../ports/tunnel/dial/client-port.ts';
import { dialTunnel } from '../ports/tunnel/dial/dial-tunnel.ts';
import { openClient } from '../ports/tunnel/dial/open-client.ts';
import { ResumeTicket, RoamingToken } from '../ports/tunnel/resume/resume-ticket.ts';
import type { TunnelPort } from '../ports/tunnel/tunnel-port.ts';
import type { DialOptions } from '../schema/dial-options.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../wire/ethernet/vid.ts';
import { IngressPolicies } from './ingress-policies.ts';

let hub: MemoryHub;
let nodes: TestNodes;
let running: { node: RoamingNode; store: MemoryStore }[];
let clients: ClientPort[];
let tunnels: TunnelPort[];

beforeEach(() => {
  hub = new MemoryHub();
  nodes = new TestNodes();
  running = [];
  clients = [];
  tunnels = [];
});

afterEach(async () => {
  await Promise.all([...clients, ...tunnels].map((client) => client.close()));
  for (const { node, store } of running) {
    await node.kill();
    await store.close();
  }
});

async function start(name: string, options: RoamingNodeOptions = {}): Promise<RoamingNode & { store: MemoryStore }> {
  const store = new MemoryStore(hub);
  await store.table('sessions').whenLoaded();
  const node = new RoamingNode(store, nodes.of(name), options);
  await node.start();
  running.push({ node, store });
  nodes.set(...nodes.alive, name);
  return Object.assign(node, { store });
}

async function kill(node: RoamingNode, name: string): Promise<void> {
  running = running.filter((other) => other.node !== node);
  await node.kill();
  nodes.set(...[...nodes.alive].filter((other) => other !== name));
}

async function dial(
  first: RoamingNode,
  others: readonly RoamingNode[],
  options: DialOptions = {},
): Promise<ClientPort> {
  const alternatives = others.map(({ url }) => url);
  const more = { ...(alternatives.length === 0 ? {} : { alternatives }), reconnectMin: 0.05, reconnectMax: 0.2 };
  const port = await openClient(first.url, { ...more, ...options }, { logger: SILENT });
  clients.push(port);
  port.open(new PortRecorder());
  return port;
}

interface SeenRow {
  readonly node: string;
  readonly name?: string;
  readonly latest?: string;
  readonly generation: number;
  readonly away: boolean;
  readonly user?: string;
  readonly bindings?: readonly { readonly address: string }[];
  readonly claims?: readonly string[];
}

function rows(): SeenRow[] {
  return [...hub.entries('sessions')].flatMap(({ value }) => (value === undefined ? [] : [value as SeenRow]));
}

/** Waits until the only row is as told. */
async function rowIs(expected: Partial<SeenRow>): Promise<void> {
  await until(() => {
    const [row, ...more] = rows();
    const isSo = Object.entries(expected).every(([key, value]) => row?.[key as keyof SeenRow] === value);
    return row !== undefined && more.length === 0 && isSo;
  });
}

function rowsAt({ store }: { readonly store: MemoryStore }): SeenRow[] {
  return [...store.table('sessions').entries()].map(({ value }) => value as SeenRow);
}

/** One tunnel, which is not dialled again. */
async function enter({ url }: RoamingNode, ticket?: ResumeTicket, user?: string): Promise<TunnelPort> {
  const tunnel = await dialTunnel({ url, ticket, ...(user === undefined ? {} : { user, passwd: '' }) });
  tunnel.open(new PortRecorder());
  tunnels.push(tunnel);
  return tunnel;
}

function portsOf({ etherSwitch }: RoamingNode): { name: string | undefined; link: string; shut: boolean }[] {
  return [...etherSwitch.attachedPorts()].map(({ name, bridgePort }) => ({
    name,
    link: bridgePort.link,
    shut: bridgePort.isShut,
  }));
}

describe('a client of a cluster', () => {
  test('takes the IP addresses that its stations may use along, for as long as its leases last', async () => {
    const [a, b] = [await start('a'), await start('b')];
    await dial(a, [b]);
    const [number] = a.etherSwitch.ports.keys();
    assert.ok(number !== undefined);
    a.etherSwitch.administration.setValues(number, { ipSourceGuard: true });
    const of = (text: string): string => String.fromCharCode(...text.split('.').map(Number));
    const station = { vid: UNTAGGED, mac: 0x0200_0000_0001 as MacAddress };
    const { sourceGuard } = a.etherSwitch.attachedPort(number).network.bridge;
    const nowMs = performance.now();
    sourceGuard.lease({ port: number, ...station, address: of('192.0.2.1') }, 600, nowMs);
    sourceGuard.lease({ port: number, ...station, address: of('192.0.2.2') }, undefined, nowMs);
    const [mine, taken] = ['\x20\x01'.padEnd(16, '\0'), '\x20\x02'.padEnd(16, '\0')];
    for (const address of [mine, taken]) sourceGuard.takeFirst(number, station.vid, station.mac, address, nowMs);
    await until(() => rows()[0]?.bindings?.length === 4);
    const other = await enter(b);
    await until(() => b.etherSwitch.ports.size === 1);
    const [rival] = b.etherSwitch.ports.keys();
    assert.ok(rival !== undefined);
    const there = b.etherSwitch.attachedPort(rival).network.bridge.sourceGuard;
    const mac = 0x0200_0000_0002 as MacAddress;
    there.takeFirst(rival, station.vid, mac, taken, performance.now());
    await kill(a, 'a');
    await until(() => b.etherSwitch.ports.size === 2);
    const port = [...b.etherSwitch.ports.keys()].find((each) => each !== rival);
    assert.ok(port !== undefined);
    const found = [...there.bindings.at(port, performance.now())];
    assert.deepEqual(
      found.map(({ kind, address }) => [kind, address]),
      [
        ['dhcp', of('192.0.2.1')],
        ['dhcp', of('192.0.2.2')],
        ['first', mine],
      ],
    );
    assert.equal(found[1]?.untilMs, Number.POSITIVE_INFINITY);
    const leftMs = (found[0]?.untilMs ?? 0) - performance.now();
    assert.ok(leftMs > 500_000 && leftMs <= 601_000, `${leftMs} ms are left of the lease`);
    await other.close();
  });

  test('takes the source addresses along that it has claimed, and no other port of the new node can claim them', async (t) => {
    const claiming = { ...NO_TUNNEL_RULES, ingress: { claims: 2 } };
    const policy = (): IngressPolicies => {
      const access = { tunnelsOf: () => claiming, mayCall: () => true, controlledBy: () => undefined };
      const source = { current: () => Promise.resolve(access), complaint: undefined };
      const policies = IngressPolicies.of(source, access, SILENT, () => undefined);
      t.after(() => policies.close());
      return policies;
    };
    const [a, b] = [await start('a', { policy: policy() }), await start('b', { policy: policy() })];
    const client = await dial(a, [b]);
    await rowIs({ node: 'a' });
    client.send(batchOf(testFrame(1, 60)), 0);
    client.flush(true);
    await until(() => rows()[0]?.claims?.join() === '02:00:00:00:00:01');
    await kill(a, 'a');
    await until(() => portsOf(b)[0]?.link === 'up');
    const rival = await enter(b);
    await until(() => b.etherSwitch.ports.size === 2);
    rival.send(batchOf(testFrame(2, 60)), 0);
    rival.flush(true);
    const [back, other] = [...b.etherSwitch.ports.values()];
    await until(() => other?.rx.discards.sourceDenied === 1);
    client.send(batchOf(testFrame(3, 60)), 0);
    client.flush(true);
    await until(() => back?.policy?.claimed.size === 1);
    assert.deepEqual([back?.rx.discards.sourceDenied, other?.policy?.claimed.size], [0, 0]);
  });

  test('finds its port at another node, with name, description and settings, when its node dies', async () => {
    const [a, b] = [await start('a'), await start('b')];
    await dial(a, [b]);
    const [number] = a.etherSwitch.ports.keys();
    assert.ok(number !== undefined);
    a.etherSwitch.administration.setLabels(number, { name: 'laptop', description: 'of Eve' });
    a.etherSwitch.administration.setValues(number, { isolated: true });
    await rowIs({ node: 'a', name: 'laptop' });
    await kill(a, 'a');
    await until(() => portsOf(b)[0]?.link === 'up');
    const [port] = [...b.etherSwitch.attachedPorts()];
    assert.equal(port?.name, 'laptop');
    assert.equal(port.description, 'of Eve');
    assert.deepEqual(port.ownValues, { isolated: true });
    await rowIs({ node: 'b', name: 'laptop', generation: 2 });
  });

  test('leaves no port at its former node when that lives, and only the network of the client has changed', async () => {
    const [a, b] = [await start('a'), await start('b')];
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket);
    await rowIs({ node: 'a' });
    assert.equal(portsOf(a)[0]?.link, 'up', 'a does not know that the connection is dead');
    await enter(b, ticket);
    await until(() => a.etherSwitch.ports.size === 0);
    assert.deepEqual(portsOf(b), [{ name: undefined, link: 'up', shut: false }]);
    await rowIs({ node: 'b', generation: 2 });
    await enter(a, ticket);
    await until(() => b.etherSwitch.ports.size === 0);
    await rowIs({ node: 'a', generation: 3 });
    assert.equal(portsOf(a).length, 1);
  });

  test('ends its session when its port is over, and leaves none after the grace', async () => {
    const a = await start('a', { graceMs: 20 });
    const tunnel = await enter(a, new ResumeTicket());
    await rowIs({ node: 'a' });
    await tunnel.cut('gone');
    await until(() => rows().length === 0);
    assert.equal(a.etherSwitch.ports.size, 0);
  });

  test('finds its port also while the store cannot be reached, if its session was known', async () => {
    const [a, b] = [await start('a'), await start('b')];
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket);
    const [number = 0] = a.etherSwitch.ports.keys();
    a.etherSwitch.administration.setLabels(number, { name: 'laptop' });
    await until(() => rowsAt(b).some(({ name }) => name === 'laptop'));
    for (const { store } of running) store.setConnected(false);
    await enter(b, ticket);
    assert.deepEqual(portsOf(b), [{ name: 'laptop', link: 'up', shut: false }]);
    assert.equal(portsOf(a).length, 1, 'a cannot know it');
    for (const { store } of running) store.setConnected(true);
    await until(() => a.etherSwitch.ports.size === 0);
    await rowIs({ node: 'b', name: 'laptop', generation: 2 });
    assert.equal(portsOf(b).length, 1);
  });

  test('whose session is not known yet gets a new port', async () => {
    const [a, b] = [await start('a'), await start('b')];
    b.store.setConnected(false);
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket);
    await enter(b, ticket);
    assert.equal(portsOf(b).length, 1);
    b.store.setConnected(true);
    await until(() => rows().length === 2);
  });

  test('is not let in by the token of another user, or in another network', async () => {
    const [a, b] = [await start('a'), await start('b')];
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket, 'ann');
    await rowIs({ node: 'a' });
    const { field } = ticket;
    const stolen = new ResumeTicket();
    stolen.renew(field);
    await enter(b, stolen, 'mallory');
    assert.equal(portsOf(a).length, 1);
    assert.equal(portsOf(b).length, 1);
    await until(() => rows().length === 2);
    assert.deepEqual(
      rows()
        .map(({ node, user }) => `${node} ${user}`)
        .sort(),
      ['a ann', 'b mallory'],
    );
    await enter(b, ticket, 'ann');
    await until(() => a.etherSwitch.ports.size === 0);
  });

  test('is not disturbed by rows that are not valid', async () => {
    const [a, b] = [await start('a'), await start('b')];
    const forged = running[0]?.store.table('sessions');
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket, 'ann');
    await rowIs({ node: 'a' });
    const wrong = [null, [], 'x', 7, {}, { node: 'a' }, { node: 1, shut: 'x' }, { settings: [] }];
    for (const [index, value] of wrong.entries()) await forged?.put(`forged${index}`, value);
    await until(() => b.store.table('sessions').get(`forged${wrong.length - 1}`) !== undefined);
    await enter(b, ticket, 'ann');
    await until(() => a.etherSwitch.ports.size === 0);
  });

  test('with a row of a later version, which says more, finds its port', async () => {
    const b = await start('b');
    const hash = createHash('sha256').update('t'.repeat(43)).digest('base64');
    const row = { node: 'a', generation: 4, shut: true, away: true, target: 'x:1', address: 'x', latest: hash };
    const more = { later: 1, settings: { isolated: true, colour: 'red' }, name: 'n' };
    await b.store.table('sessions').put('k', { ...row, ...more });
    const ticket = new ResumeTicket();
    ticket.renew(`1 ${'t'.repeat(43)}`);
    await enter(b, ticket);
    assert.deepEqual(portsOf(b), [{ name: 'n', link: 'up', shut: true }]);
    await rowIs({ node: 'b', generation: 5 });
  });
});

describe('the limit of a user', () => {
  const allowanceOf = (): number => 2;

  test('counts the tunnels at all nodes that are alive', async () => {
    const [a, b] = [await start('a', { allowanceOf }), await start('b', { allowanceOf })];
    await enter(a, undefined, 'ann');
    await enter(a, undefined, 'ann');
    await until(() => b.roaming.tunnelsOf('ann') === 2);
    await assert.rejects(enter(b, undefined, 'ann'), /429/);
    await enter(b, undefined, 'bob');
    nodes.set('b');
    assert.equal(b.roaming.tunnelsOf('ann'), 0, 'those of a node that is gone do not count');
    await enter(b, undefined, 'ann');
  });

  test('does not keep a client from its own port at another node', async () => {
    const [a, b] = [await start('a', { allowanceOf: () => 1 }), await start('b', { allowanceOf: () => 1 })];
    const ticket = new ResumeTicket(new RoamingToken());
    await enter(a, ticket, 'ann');
    await until(() => b.roaming.tunnelsOf('ann') === 1);
    await enter(b, ticket, 'ann');
    await until(() => a.etherSwitch.ports.size === 0);
    await rowIs({ node: 'b' });
  });

  test('gives a client that is connected the place of one that is away at another node', async () => {
    const [a, b] = [await start('a', { allowanceOf: () => 1 }), await start('b', { allowanceOf: () => 1 })];
    const lost = new WebSocket(a.url, {
      headers: { 'Etherws-Wire': '1', 'Etherws-Resume': '1', Authorization: 'Bearer ann' },
    });
    await once(lost, 'open');
    await rowIs({ node: 'a', away: false });
    lost.terminate();
    await until(() => rowsAt(b)[0]?.away === true);
    await enter(b, new ResumeTicket(), 'ann');
    await until(() => a.etherSwitch.ports.size === 0);
    await rowIs({ node: 'b' });
  });

  test('tells when the tunnels of a user elsewhere have changed', async () => {
    const told: (string | null)[] = [];
    const [a, b] = [await start('a'), await start('b', { onUser: (user) => told.push(user) })];
    await enter(a, undefined, 'ann');
    await until(() => told.includes('ann'));
    assert.equal(b.roaming.tunnelsOf('ann'), 1);
    told.length = 0;
    nodes.set('b');
    assert.deepEqual(told, ['ann']);
  });
});

test('the rows of a node that is gone are removed after the grace, by one node', async () => {
  const graceMs = 100;
  const [a, b] = [await start('a', { graceMs }), await start('b', { graceMs })];
  await start('c', { graceMs });
  await enter(a, new ResumeTicket(), 'ann');
  await enter(b, new ResumeTicket(), 'bob');
  await until(() => rows().length === 2);
  await kill(a, 'a');
  await until(() => rows().length === 1);
  await rowIs({ node: 'b' });
});

test('a token of another node brings no client beyond the limits of a node', async () => {
  const [a, b] = [await start('a'), await start('b', { limits: { maxPerAddress: 1 } })];
  const ticket = new ResumeTicket(new RoamingToken());
  await enter(b, new ResumeTicket());
  await enter(a, ticket);
  await until(() => rows().length === 2);
  await assert.rejects(enter(b, ticket), /429/);
  assert.equal(portsOf(a)[0]?.link, 'up');
  assert.equal(b.etherSwitch.ports.size, 1);
});
