import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PortRecorder } from '../../../test/support/port-recorder.ts';
import { until } from '../../../test/support/waits.ts';
import { TestTunnelServer } from '../../../test/support/web-socket-peer.ts';
import type { Port } from '../../bridge/port.ts';
import { SILENT } from '../../observability/logger.ts';
import type { DialOptions } from '../../schema/dial-options.ts';
import { formatNodeList, parseNodeList } from '../../wire/tunnel/node-list.ts';
import type { TunnelsElsewhere } from './accept/server-options.ts';
import { dialTunnel } from './dial/dial-tunnel.ts';
import type { LearnedNodes, NodeListener } from './dial/learned-nodes.ts';
import { openClient } from './dial/open-client.ts';
import { ResumeTicket } from './resume/resume-ticket.ts';

const IN_CLUSTER: TunnelsElsewhere = {
  knows: () => false,
  recall: () => undefined,
  tunnelsOf: () => 0,
  displace: () => false,
};

interface TestNode {
  readonly server: TestTunnelServer;
  nodes: string[];
  /** the tokens that it was shown */
  readonly tokens: (string | undefined)[];
  /** opens the next port that is accepted */
  next(): Promise<Port>;
  /** Ends the node and its tunnels. */
  end(): Promise<void>;
}

async function startNode(t: TestContext, isInCluster = true): Promise<TestNode> {
  const ports: Port[] = [];
  let ended: Promise<unknown> | undefined;
  const node: TestNode = {
    nodes: [],
    tokens: [],
    server: new TestTunnelServer(isInCluster ? { elsewhere: IN_CLUSTER, nodesFor: () => node.nodes } : {}),
    next: async () => {
      const port = await node.server.nextPort();
      port.open(new PortRecorder());
      ports.push(port);
      return port;
    },
    end: async () => {
      ended ??= Promise.all([node.server.stop(), ...ports.map((port) => port.close('shutdown'))]);
      await ended;
    },
  };
  node.server.server.prependListener('upgrade', ({ headers }) => {
    node.tokens.push(String(headers['etherws-resume']).split(' ')[1]);
  });
  await node.server.start();
  t.after(() => node.end());
  return node;
}

async function client(t: TestContext, urls: readonly string[], options: DialOptions = {}) {
  const [first = '', ...alternatives] = urls;
  const more = alternatives.length === 0 ? {} : { alternatives };
  const port = await openClient(first, { ...more, reconnectMin: 0.01, ...options }, { logger: SILENT });
  port.open(new PortRecorder());
  t.after(() => port.close());
  return port;
}

/** The URL to which the client is connected. */
const urlOf = (port: Awaited<ReturnType<typeof client>>): string | null | undefined =>
  port.details.connection === undefined ? undefined : (port.details.connection.url ?? port.target);

/** What a client that has just dialled hears. */
async function listAt(t: TestContext, node: TestNode, options: Partial<Parameters<typeof dialTunnel>[0]> = {}) {
  const heard: string[][] = [];
  const nodes: NodeListener = { reached: () => (message) => void heard.push([...parseNodeList(message)]) };
  const tunnel = await dialTunnel({ url: node.server.url, nodes, ticket: new ResumeTicket(), ...options });
  tunnel.open(new PortRecorder());
  t.after(() => tunnel.close());
  await node.next();
  return heard;
}

test('a client whose only node dies comes back at a node of which that has told, with its token', async (t) => {
  const [r1, r2] = [await startNode(t), await startNode(t)];
  r1.nodes = [r2.server.url];
  const port = await client(t, [r1.server.url]);
  await r1.next();
  await until(() => r1.tokens.length === 1);
  const startMs = performance.now();
  await r1.end();
  await r2.next();
  t.diagnostic(`back after ${Math.round(performance.now() - startMs)} ms`);
  await until(() => urlOf(port) === r2.server.url);
  assert.match(r2.tokens[0] ?? '', /^[\w-]{43}$/);
});

test('nodes that are told later are known, too, and one that is gone is forgotten', async (t) => {
  const [r1, r2, r3] = [await startNode(t), await startNode(t), await startNode(t)];
  r1.nodes = [r2.server.url];
  const heard = await listAt(t, r1);
  await until(() => heard.length === 1);
  r1.nodes = [r3.server.url];
  r1.server.tunnels.nodesChanged();
  r1.nodes = [];
  r1.server.tunnels.nodesChanged();
  await until(() => heard.at(-1)?.length === 0);
  assert.deepEqual(heard[0], [r2.server.url]);
});

test('only clients that follow redirects, on the batched wire and with a token, are told', async (t) => {
  const [r1, alone] = [await startNode(t), await startNode(t, false)];
  r1.nodes = ['ws://127.0.0.2:1/'];
  for (const [node, options] of [
    [r1, { redirect: false }],
    [r1, { wire: 'raw' }],
    [r1, { ticket: undefined }],
    [alone, {}],
  ] as const) {
    const heard = await listAt(t, node, options);
    const control = await listAt(t, r1);
    await until(() => control.length === 1);
    assert.deepEqual(heard, []);
  }
});

test('after a redirect the client still knows its own URLs, and the node that it was redirected to', async (t) => {
  const [r1, r2] = [await startNode(t), await startNode(t)];
  let goesAway = true;
  r1.server.tunnels.join({
    elsewhere: IN_CLUSTER,
    divert: () =>
      goesAway
        ? { status: 307, headers: { Location: r2.server.url, 'Etherws-Redirect': '1' }, text: 'there\n' }
        : undefined,
  });
  const port = await client(t, [r1.server.url]);
  await r2.next();
  await until(() => urlOf(port) === r2.server.url);
  goesAway = false;
  await r2.end();
  await r1.next();
  await until(() => urlOf(port) === r1.server.url);
});

test('a client whose own URLs are dead returns to the node that it was redirected to', async (t) => {
  const [r1, r2] = [await startNode(t), await startNode(t)];
  r1.server.tunnels.join({
    divert: () => ({ status: 307, headers: { Location: r2.server.url, 'Etherws-Redirect': '1' }, text: 'there\n' }),
  });
  const port = await client(t, [r1.server.url]);
  const first = await r2.next();
  await r1.end();
  await first.close('restart');
  await r2.next();
  await until(() => urlOf(port) === r2.server.url);
});

test('the own URLs come first', async (t) => {
  const [r1, r2, r3] = [await startNode(t), await startNode(t), await startNode(t)];
  r1.nodes = [r3.server.url];
  const port = await client(t, [r1.server.url, r2.server.url]);
  await r1.next();
  await r1.end();
  await r2.next();
  await until(() => urlOf(port) === r2.server.url);
  assert.equal(r3.tokens.length, 0);
});

test('a client that refuses redirects goes nowhere else', async (t) => {
  const [r1, r2] = [await startNode(t), await startNode(t)];
  r1.nodes = [r2.server.url];
  const port = await client(t, [r1.server.url], { redirect: false });
  await r1.next();
  await r1.end();
  await until(() => port.linkReason?.includes('next try') === true);
  await until(() => port.linkReason?.includes('Nothing listens') === true);
  assert.equal(r2.tokens.length, 0);
});

test('a server that tells anything costs its client no more than its tunnel', async (t) => {
  const r1 = await startNode(t);
  const garbage = [
    'ws://127.0.0.1:1/',
    'nonsense',
    '',
    'wss://x:y@127.0.0.1/',
    r1.server.url,
    `ws://h/${'x'.repeat(600)}`,
  ];
  r1.nodes = garbage;
  const port = await client(t, [r1.server.url]);
  const first = await r1.next();
  for (let n = 0; n < 1000; n++) {
    r1.nodes = [...garbage.slice(n % 6), `ws://127.0.0.1:1/${n}`];
    r1.server.tunnels.nodesChanged();
    if (n % 100 === 0) await new Promise(setImmediate);
  }
  assert.equal(port.linkReason, undefined);
  await first.close('restart');
  await r1.next();
  await until(() => urlOf(port) === r1.server.url);
});

test('a list beyond the bound is ignored as an unknown message, and the tunnel stays', async (t) => {
  const r1 = await startNode(t);
  const heard: string[][] = [];
  const nodes: Pick<LearnedNodes, 'reached'> = {
    reached: () => (message) => void heard.push([...parseNodeList(message)]),
  };
  const tunnel = await dialTunnel({ url: r1.server.url, nodes, ticket: new ResumeTicket() });
  const events = new PortRecorder();
  tunnel.open(events);
  t.after(() => tunnel.close());
  const server = await r1.server.nextPort();
  const told = (server as unknown as { current: { tellNodes(message: Buffer): void } }).current;
  server.open(new PortRecorder());
  t.after(() => server.close());
  told.tellNodes(Buffer.concat([formatNodeList([]), Buffer.alloc(100_000, 0x61)]));
  // Messages that wait replace each other, so the next one is sent when the former one has arrived.
  await new Promise(setImmediate);
  await until(() => {
    if (heard.length === 0) told.tellNodes(formatNodeList(['ws://127.0.0.1:2/']));
    return heard.length > 0;
  });
  assert.deepEqual(heard[0], ['ws://127.0.0.1:2/']);
  assert.deepEqual(events.linkChanges, []);
});
