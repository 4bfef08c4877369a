/**
 * Compares the processor time of `Bridge.receive` for each frame in this build and in another one:
 *
 *   node dist/bench/programs/bridge-receive.js /path/to/other/dist
 *
 * Each build runs in its own process, and the two alternate, so that other load on the
 * machine affects both. Prints the medians of processor time in ns a frame, and the ratio
 * of the other build's to ours: above 1 ours is faster. A scenario that the other build does not know is left out.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROUNDS = 15;
const ROUND_US = 30_000;
const FRAMES = 32;
/** The longest start of a build, and the longest round on a busy machine. */
const ANSWER_MS = 60_000;
/** 192.0.2.10 */
const SOURCE_IP = '\xc0\x00\x02\x0a';
const SCENARIOS = [
  ...(['one flow', 'a flow a frame', 'flood to three', 'rates', 'claims and guard', 'IP source guard'] as const),
];
type Scenario = (typeof SCENARIOS)[number];

interface Batch {
  push(start: number, length: number): void;
}

interface Attached {
  readonly number: number;
  policy: unknown;
  settings: object;
}

interface Build {
  readonly Bridge: new () => {
    attach(port: object): Attached;
    receive(port: Attached, batch: Batch, nowMs: number): void;
    setSettings?(port: Attached, settings: object): void;
  };
  readonly FrameBatch: new (bytes: Buffer, capacity: number) => Batch;
  readonly IngressPolicy: new (rules: object, claims: object, nowMs: number) => object;
  readonly SourceClaims: new () => object;
}

async function load(dist: string): Promise<Build> {
  const from = async (...paths: string[]): Promise<object> => {
    const found = paths.map((path) => join(dist, 'src', path)).find(existsSync);
    if (found === undefined) throw new Error(`${dist} has none of ${paths.join(', ')}; is it built?`);
    return import(pathToFileURL(found).href);
  };
  const modules = await Promise.all([
    from('bridge/bridge.js'),
    from('wire/ethernet/frame-batch.js', 'wire/frame-batch.js'),
    from('bridge/ingress-policy.js'),
  ]);
  return Object.assign({}, ...modules) as Build;
}

const PORT = {
  type: 'memory',
  target: 'none',
  offloads: 0,
  maxFrameBytes: 65_557,
  send: () => undefined,
  flush: () => undefined,
};

/** @returns a function that passes one batch to the bridge; undefined: the build does not know the scenario */
function prepare(build: Build, scenario: Scenario): (() => void) | undefined {
  const bridge = new build.Bridge();
  if (scenario === 'IP source guard' && bridge.setSettings === undefined) return undefined;
  const ports = Array.from({ length: 4 }, () => bridge.attach({ ...PORT }));
  const [ingress, egress] = ports as [Attached, Attached];
  const batchOf = (source: (i: number) => number, destination: (i: number) => number): Batch => {
    const batch = new build.FrameBatch(Buffer.alloc(FRAMES * 1500), FRAMES);
    const { bytes } = batch as unknown as { bytes: Buffer };
    for (let i = 0; i < FRAMES; i++) {
      bytes.writeUIntBE(0x020000000000 + destination(i), i * 1500, 6);
      bytes.writeUIntBE(0x020000000000 + source(i), i * 1500 + 6, 6);
      bytes.writeUInt16BE(0x0800, i * 1500 + 12);
      bytes[i * 1500 + 14] = 0x45;
      bytes[i * 1500 + 23] = 6;
      bytes.write(SOURCE_IP, i * 1500 + 26, 'latin1');
      batch.push(i * 1500, 1400);
    }
    return batch;
  };
  const several = scenario === 'a flow a frame';
  bridge.receive(
    egress,
    batchOf(
      (i) => 100 + (several ? i : 0),
      () => 1,
    ),
    0,
  );
  // Storm control judges each flooded frame, and none is too much.
  ingress.settings = { ...ingress.settings, storm: { unicast: 1e12 } };
  const rate = { perSecond: 1e12, burst: 1e12 };
  if (scenario === 'rates')
    ingress.policy = new build.IngressPolicy({ frames: rate, bits: rate }, new build.SourceClaims(), 0);
  if (scenario === 'claims and guard') {
    ingress.policy = new build.IngressPolicy({ claims: 64, forbidsDhcpServer: true }, new build.SourceClaims(), 0);
  }
  if (scenario === 'IP source guard') {
    bridge.setSettings?.(ingress, { ...ingress.settings, hasSourceGuard: true, ipBindings: [{ address: SOURCE_IP }] });
  }
  const to = scenario === 'flood to three' ? 7000 : 100;
  const batch = batchOf(
    (i) => 200 + (several ? i : 0),
    (i) => to + (several ? i : 0),
  );
  let nowMs = 1;
  return () => {
    nowMs += 0.01;
    bridge.receive(ingress, batch, nowMs);
  };
}

async function serve(dist: string): Promise<void> {
  const build = await load(dist);
  const runs = SCENARIOS.map((scenario) => prepare(build, scenario));
  process.on('message', (scenario: number) => {
    const run = runs[scenario];
    if (run === undefined) return process.send?.(0);
    const start = process.cpuUsage();
    let batches = 0;
    let spentUs = 0;
    while (spentUs < ROUND_US) {
      for (let i = 0; i < 200; i++) run();
      batches += 200;
      const { user, system } = process.cpuUsage(start);
      spentUs = user + system;
    }
    return process.send?.((spentUs * 1000) / (batches * FRAMES));
  });
  process.send?.(0);
}

async function ask(child: ChildProcess, scenario: number): Promise<number> {
  child.send(scenario);
  const [nanoseconds] = (await once(child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) })) as [number];
  return nanoseconds;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] as number;
}

async function compare(other: string): Promise<void> {
  const script = fileURLToPath(import.meta.url);
  const ours = resolve(import.meta.dirname, '../..');
  const children = [ours, resolve(other)].map((dist) => fork(script, ['--serve', dist]));
  for (const child of children) {
    child.once('exit', (status) => {
      if (status !== 0) process.exit(1);
    });
  }
  await Promise.all(children.map((child) => once(child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) })));
  for (const [at, scenario] of SCENARIOS.entries()) {
    const [mine, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      mine.push(await ask(children[0] as ChildProcess, at));
      theirs.push(await ask(children[1] as ChildProcess, at));
    }
    if (theirs.includes(0)) {
      process.stdout.write(
        `${scenario.padEnd(18)} ours ${medianOf(mine.slice(5)).toFixed(1)} ns, the other build does not know it\n`,
      );
      continue;
    }
    const ratio = medianOf(theirs.slice(5)) / medianOf(mine.slice(5));
    const best = Math.min(...theirs) / Math.min(...mine);
    process.stdout.write(
      `${scenario.padEnd(18)} ours ${medianOf(mine.slice(5)).toFixed(1)} ns, other ${medianOf(theirs.slice(5)).toFixed(1)} ns, ` +
        `ratio ${ratio.toFixed(2)} (of the best ${best.toFixed(2)})\n`,
    );
  }
  for (const child of children) child.disconnect();
}

const [first, second] = process.argv.slice(2);
if (first === '--serve' && second !== undefined) await serve(second);
else if (first !== undefined) await compare(first);
else throw new Error('name the dist folder of another build');
