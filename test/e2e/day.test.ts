import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Crowd } from '../support/crowd.ts';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { examine, type Holding } from '../support/examination.ts';
import { LEFT, LEFT_TAP } from '../support/lan.ts';
import { CLIENT, openTapPair, startOnTap, TAP } from '../support/tap-pair.ts';

/*
 * A day of a busy switch, in a minute: a thousand ports, tunnels that flap, changes of the configuration, captures that
 * start and are cut, rotations of the log. Frames between two other ports are not interrupted.
 */

const RELAY = fileURLToPath(new URL('./programs/relay.js', import.meta.url));
const QUIET = 900;
const FLAPPING = 100;
const WARM_UP_HOURS = 4;
const HOURS = 20;
/** The interval of echo requests, in seconds. */
const PING_S = 0.2;
/** Limit of the time without an answer: 1 s, and 1 s for other load on the machine. */
const MOST_SILENT_S = 2;
/** A deadline, not a limit of speed. */
const DEADLINE_MS = 120_000;
const MIB = 1024 * 1024;
/** 1600 tunnels are opened and closed after the warm-up; a leaked one takes 6 KiB. */
const MOST_GROWTH = { heapBytes: 4 * MIB, residentBytes: 24 * MIB, descriptors: 3, resources: 3 } as const;

/** The time of an examination of the switch, in seconds since 1970. */
interface Examination {
  readonly fromS: number;
  readonly toS: number;
}

test('a day of flapping tunnels, reloads, captures and log rotation: no leak, and no missed second between two ports', async (t) => {
  const pair = await openTapPair(t);
  if (pair === undefined) return;
  const { left, right, lab } = pair;
  const [file, log] = [join(lab.directory, 'etherws.yaml'), join(lab.directory, 'etherws.log')];
  const configure = (hour: number): void => writeFileSync(file, configuration(log, hour));
  configure(0);
  const server = await EtherwsSwitch.start(left, ['--config', file]);
  const client = await startOnTap(right, ['--port', '8000']);
  await client.done('addport', 'client', `ws://${LEFT.v4}:8000/`);
  const relay = right.spawn([process.execPath, RELAY, '9000', LEFT.v4, '8000'], {
    isInteractive: true,
    timeoutMs: 600_000,
  });
  await relay.output(/listening/);
  const waits = { minMs: 100, maxMs: 1000 };
  const quiet = [0, 1].map(() => new Crowd(right, QUIET / 2, { url: `ws://${LEFT.v4}:8000/` }, waits));
  const flapping = new Crowd(right, FLAPPING, { url: 'ws://127.0.0.1:9000/' }, waits);
  t.after(() => Promise.all([...quiet, flapping].map((crowd) => crowd.end())));
  const all = async (): Promise<void> => {
    for (const crowd of [...quiet, flapping]) await crowd.becomes((up) => up === crowd.count, DEADLINE_MS);
  };
  await all();

  // Opens the inspector, as openToExamination does; the process logs that.
  server.process.signal('SIGUSR1');
  await eventually(
    async () => readFileSync(log, 'utf8'),
    (text) => text.includes('Debugger listening'),
  );
  const answers = answersOf(t, right, LEFT_TAP.v4);
  const examinations: Examination[] = [];
  let before: Holding | undefined;
  for (let hour = 1; hour <= WARM_UP_HOURS + HOURS; hour++) {
    await live(hour);
    if (hour === WARM_UP_HOURS) before = await settledHolding();
  }
  const after = await settledHolding();

  assert.ok(before !== undefined);
  const story = JSON.stringify({ before, after });
  assert.ok(after.descriptors <= before.descriptors + MOST_GROWTH.descriptors, story);
  assert.ok(after.resources.length <= before.resources.length + MOST_GROWTH.resources, story);
  assert.ok(after.heapBytes <= before.heapBytes + MOST_GROWTH.heapBytes, story);
  assert.ok(after.residentBytes <= before.residentBytes + MOST_GROWTH.residentBytes, story);
  const silence = longestGap(answers, examinations);
  assert.ok(silence < MOST_SILENT_S, `no answer for ${silence.toFixed(2)} s`);
  t.diagnostic(`longest time without an answer ${silence.toFixed(2)} s; ${story}`);
  const [tap, tunnel] = [await server.port(TAP), await client.port(CLIENT)];
  assert.deepEqual([tap.state, tunnel.state, tunnel.reason], ['up', 'up', null]);
  const logs = readdirSync(lab.directory).filter((name) => name.startsWith('etherws.log'));
  assert.equal(logs.length, 1 + WARM_UP_HOURS + HOURS, 'each hour has its log');
  // The first one ends with the first reload.
  const later = logs.filter((name) => name !== 'etherws.log.1');
  assert.ok(later.every((name) => readFileSync(join(lab.directory, name), 'utf8').includes('reloaded')));

  /** The activities of one hour; all of them end within it. */
  async function live(hour: number): Promise<void> {
    const captures = [0, 1].map((port) => {
      const capture = [...ETHERWS, 'ctl', 'capture', String(TAP + port), '-w', '-'];
      return left.spawn(capture, { timeoutMs: DEADLINE_MS });
    });
    const lost = flapping.becomes((up) => up < FLAPPING, DEADLINE_MS);
    relay.write(hour % 2 === 0 ? 'reset\n' : 'end\n');
    await lost;
    renameSync(log, `${log}.${hour}`);
    configure(hour);
    await server.done('reload');
    // One capture is killed, the other is ended in order.
    for (const [index, capture] of captures.entries()) capture.signal(index === 0 ? 'SIGKILL' : 'SIGINT');
    for (const capture of captures) await capture.exited;
    await flapping.becomes((up) => up === FLAPPING, DEADLINE_MS);
    const isThere = hour % 2 === 0;
    await eventually(
      () => server.ports(),
      (ports) => ports.some(({ name }) => name === 'extra') === isThere,
    );
  }

  /** The server's resources when all tunnels are up and the cut ones are removed. */
  async function settledHolding(): Promise<Holding> {
    await all();
    await eventually(
      () => server.ports(),
      (ports) => ports.filter(({ type, state }) => type === 'server' && state === 'up').length === 1 + QUIET + FLAPPING,
      DEADLINE_MS,
    );
    await delay(1000);
    // A garbage collection by the inspector stops the switch.
    const fromS = Date.now() / 1000;
    await examine(server);
    const holding = await examine(server);
    examinations.push({ fromS, toS: Date.now() / 1000 });
    return holding;
  }
});

/** The configuration of an hour: each second one has one more port, and each has other descriptions. */
function configuration(log: string, hour: number): string {
  const extra = hour % 2 === 0 ? [`  - {type: tap, target: extra0, name: extra, description: hour ${hour}}`] : [];
  const ports = ['  - {type: tap, target: ethws0, name: lan}', ...extra];
  return ['tunnels: {port: 8000}', `daemon: {logfile: ${log}}`, 'ports:', ...ports, ''].join('\n');
}

/** The times of answers to echo requests, in seconds, until the end of the test. */
function answersOf(t: TestContext, from: { spawn: EtherwsSwitch['host']['spawn'] }, address: string): number[] {
  const times: number[] = [];
  const ping = from.spawn(['ping', '-n', '-D', '-i', String(PING_S), address], { timeoutMs: 600_000 });
  t.after(() => ping.end());
  ping.onLine((line) => {
    const time = /^\[([\d.]+)\] .*bytes from/.exec(line)?.[1];
    if (time !== undefined) times.push(Number(time));
  });
  return times;
}

/** The longest time between two answers without an examination in between, in seconds. */
function longestGap(times: readonly number[], examinations: readonly Examination[]): number {
  assert.ok(times.length > 10, `${times.length} answers`);
  const gaps = times.slice(1).map((toS, index) => ({ fromS: times[index] as number, toS }));
  const undisturbed = gaps.filter((gap) => !examinations.some(({ fromS, toS }) => fromS < gap.toS && gap.fromS < toS));
  return Math.max(...undisturbed.map(({ fromS, toS }) => toS - fromS));
}
