import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { SILENT } from '../../src/observability/logger.ts';
import type { ClientPort } from '../../src/ports/tunnel/dial/client-port.ts';
import { dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import type { NodeListener } from '../../src/ports/tunnel/dial/learned-nodes.ts';
import { openClient } from '../../src/ports/tunnel/dial/open-client.ts';
import { ResumeTicket } from '../../src/ports/tunnel/resume/resume-ticket.ts';
import type { DialOptions } from '../../src/schema/dial-options.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import { parseNodeList } from '../../src/wire/tunnel/node-list.ts';
import { PROMISED, patiently } from '../support/cluster/bounds.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { freePort, NatsServer } from '../support/nats-server.ts';
import { PortRecorder, testFrame } from '../support/port-recorder.ts';
import { Process } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';

const skip = missingTools('nats-server');
const INTERVAL_MS = 25;
/** What this process has slept through is no silence of the nodes: it has sent no frames, either. */
const MOST_STEP_MS = 100;

interface Node {
  readonly process: Process;
  readonly url: string;
  ctl(...words: readonly string[]): Promise<string>;
}

async function startNode(t: TestContext, nats: NatsServer, name: string, more: readonly string[] = []): Promise<Node> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-roam-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [port, control] = [await freePort(), await freePort()];
  const listen = ['--host', '127.0.0.1', '--port', `${port}`, '--ctlhost', '127.0.0.1', '--ctlport', `${control}`];
  const url = `ws://127.0.0.1:${port}/`;
  const cluster = ['--cluster', nats.url, '--cluster-name', 'test', '--node', name, '--advertise', url];
  const command = [
    ...ETHERWS,
    'sw',
    '--foreground',
    '--ctlsocket',
    join(directory, `${name}.sock`),
    '--logformat',
    'text',
    ...listen,
    ...cluster,
    ...more,
  ];
  const process = new Process(command, { timeoutMs: 120_000 });
  t.after(() => process.end());
  await process.output(/ready/);
  const ctl = async (...words: readonly string[]): Promise<string> => {
    const run = new Process([...ETHERWS, 'ctl', '--ctlurl', `http://127.0.0.1:${control}/ctl`, ...words]);
    const { status, stdout, stderr } = await run.exited;
    if (status !== 0) throw new Error(`ctl ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  return { process, url, ctl };
}

/** A station of the library behind a client port: it sends numbered frames, and notes when those of the other arrive. */
class Station {
  readonly port: ClientPort;
  readonly heard = new PortRecorder();
  readonly #timer: NodeJS.Timeout;
  readonly #watch: NodeJS.Timeout;
  #number = 0;
  #seen = 0;
  #gapMs = 0;
  #lookedMs = performance.now();
  /** the longest time without a frame of the other station */
  longestGapMs = 0;

  constructor(port: ClientPort) {
    this.port = port;
    port.open(this.heard);
    this.#timer = setInterval(() => this.#send(), INTERVAL_MS);
    this.#watch = setInterval(() => this.#look(), 5);
  }

  static async dial(t: TestContext, urls: readonly string[], options: DialOptions = {}): Promise<Station> {
    const [first = '', ...alternatives] = urls;
    const more = alternatives.length === 0 ? {} : { alternatives };
    const station = new Station(await openClient(first, { ...more, ...options }, { logger: SILENT }));
    t.after(() => station.close());
    return station;
  }

  /** Waits for further frames of the other station. */
  async hears(): Promise<void> {
    const before = this.#seen;
    await until(() => this.#seen > before + 3);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#watch);
    await this.port.close();
  }

  #send(): void {
    const frame = testFrame(++this.#number, 60);
    frame.fill(0xff, 0, 6);
    this.port.send(batchOf(frame), 0);
    this.port.flush(true);
  }

  #look(): void {
    const nowMs = performance.now();
    this.#gapMs += Math.min(MOST_STEP_MS, nowMs - this.#lookedMs);
    this.#lookedMs = nowMs;
    this.longestGapMs = Math.max(this.longestGapMs, this.#gapMs);
    if (this.heard.frames.length === this.#seen) return;
    this.#seen = this.heard.frames.length;
    this.#gapMs = 0;
  }
}

async function tunnelsOf(node: Node): Promise<PortEntry[]> {
  const { entries } = JSON.parse(await node.ctl('listport', '--json')) as { entries: PortEntry[] };
  return entries.filter(({ type }) => type === 'server');
}

/** Lets both stations hear each other, does something, and lets them hear each other again. @returns their longest silence */
async function silenceOf(stations: readonly Station[], doIt: () => Promise<unknown>): Promise<number> {
  await Promise.all(stations.map((station) => station.hears()));
  for (const station of stations) station.longestGapMs = 0;
  await doIt();
  for (const station of stations) {
    await station.hears();
    await station.hears();
  }
  return Math.round(Math.max(...stations.map(({ longestGapMs }) => longestGapMs)));
}

async function twoNodes(t: TestContext, more: readonly string[] = []): Promise<[Node, Node]> {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const [first, second] = [await startNode(t, nats, 'r1', more), await startNode(t, nats, 'r2', more)];
  return [first, second];
}

test('kill -9 of a node: its client is back at the other one, with its name and its settings', { skip }, async (t) => {
  const [r1, r2] = await twoNodes(t);
  const fixed = await Station.dial(t, [r2.url]);
  const roaming = await Station.dial(t, [r1.url, r2.url]);
  const [{ port = 0 } = {}] = await tunnelsOf(r1);
  await r1.ctl('setport', `${port}`, '--name', 'laptop', '--isolated', '1');
  const silentMs = await silenceOf([fixed, roaming], async () => {
    await r1.process.end();
    await until(() => roaming.port.linkReason !== undefined);
  });
  t.diagnostic(`the longest time without a frame: ${silentMs} ms`);
  assert.ok(silentMs < patiently(PROMISED.clientBackMs), `${silentMs} ms`);
  const back = (await tunnelsOf(r2)).find(({ name }) => name === 'laptop');
  assert.equal(back?.state, 'up');
  assert.deepEqual(back.settings, { isolated: true });
});

test('the source address that a client has claimed is its own at the other node, also before it sends there', {
  skip,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-roam-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, 'default: {tunnels: {claim-first: 1}}\n');
  const [r1, r2] = await twoNodes(t, ['--policy', policy]);
  const enter = async (urls: readonly string[]): Promise<ClientPort> => {
    const [first = '', ...alternatives] = urls;
    const more = alternatives.length === 0 ? {} : { alternatives };
    const port = await openClient(first, more, { logger: SILENT });
    port.open(new PortRecorder());
    t.after(() => port.close());
    return port;
  };
  const send = (port: ClientPort): void => {
    port.send(batchOf(testFrame(1, 60)), 0);
    port.flush(true);
  };
  const detailsOf = (node: Node, name: string): Promise<string> => node.ctl('show', name);
  const client = await enter([r1.url, r2.url]);
  const [{ port = 0 } = {}] = await tunnelsOf(r1);
  await r1.ctl('setport', `${port}`, '--name', 'laptop');
  send(client);
  await eventually(
    () => detailsOf(r1, 'laptop'),
    (text) => text.includes('claimed: 02:00:00:00:00:01'),
  );
  await r1.ctl('drain');
  await eventually(
    () => tunnelsOf(r2),
    (ports) => ports.some(({ name, state }) => name === 'laptop' && state === 'up'),
  );
  const rival = await enter([r2.url]);
  send(rival);
  const { port: rivalPort } = (await tunnelsOf(r2)).find(({ name }) => name !== 'laptop') ?? {};
  await eventually(
    () => detailsOf(r2, `${rivalPort}`),
    (text) => text.includes('the policy does not allow its source address'),
  );
  send(client);
  await eventually(
    () => detailsOf(r2, 'laptop'),
    (text) => text.includes('claimed: 02:00:00:00:00:01'),
  );
});

/** Waits until a node tells its clients of another one. */
async function tells(t: TestContext, { url }: Node, other: Node): Promise<void> {
  let told: readonly string[] = [];
  const nodes: NodeListener = {
    reached: () => (message) => {
      told = parseNodeList(message);
    },
  };
  const tunnel = await dialTunnel({ url, nodes, ticket: new ResumeTicket() });
  tunnel.open(new PortRecorder());
  t.after(() => tunnel.close());
  await until(() => told.includes(other.url));
  await tunnel.close();
}

test('kill -9 of the only node that a client was told: it is back at another one', { skip }, async (t) => {
  const [r1, r2] = await twoNodes(t);
  const fixed = await Station.dial(t, [r2.url]);
  const roaming = await Station.dial(t, [r1.url]);
  const [{ port = 0 } = {}] = await tunnelsOf(r1);
  await r1.ctl('setport', `${port}`, '--name', 'laptop');
  await tells(t, r1, r2);
  const silentMs = await silenceOf([fixed, roaming], async () => {
    await r1.process.end();
    await until(() => roaming.port.linkReason !== undefined);
  });
  t.diagnostic(`the longest time without a frame: ${silentMs} ms`);
  assert.ok(silentMs < patiently(PROMISED.clientBackMs), `${silentMs} ms`);
  assert.equal((await tunnelsOf(r2)).find(({ name }) => name === 'laptop')?.state, 'up');
});

test('a node that is drained hands its clients over: no second passes without a frame', { skip }, async (t) => {
  const [r1, r2] = await twoNodes(t);
  const fixed = await Station.dial(t, [r2.url]);
  // It knows only the URL of the node that is drained, and follows its redirect.
  const roaming = await Station.dial(t, [r1.url]);
  const silentMs = await silenceOf([fixed, roaming], async () => {
    assert.match(await r1.ctl('drain'), /Draining; 0 clients left/);
    await until(() => roaming.port.linkReason === undefined);
  });
  t.diagnostic(`drained: the longest time without a frame: ${silentMs} ms`);
  assert.ok(silentMs < patiently(1000), `${silentMs} ms`);
  assert.equal((await tunnelsOf(r1)).length, 0);
  assert.equal((await tunnelsOf(r2)).length, 2);
  assert.match(await r1.ctl('drain', '--off'), /Takes clients; 0 clients now/);

  // A node that is stopped in order is drained first.
  const stoppedMs = await silenceOf([fixed, roaming], async () => {
    r2.process.signal('SIGTERM');
    await r2.process.exited;
  });
  t.diagnostic(`stopped: the longest time without a frame: ${stoppedMs} ms`);
  assert.ok(stoppedMs < patiently(1000), `${stoppedMs} ms`);
});
