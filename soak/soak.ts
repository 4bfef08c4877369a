/*
 * `npm run soak`: switches under full load, and random faults one after the other.
 *
 * 1. Three switches, four clients, a proxy and the load are started (world.ts).
 * 2. A fault is chosen (faults.ts) and happens; then traffic must flow again within the fault's time limit.
 * 3. At the end the load stops, the state must be that of the beginning, and the switches are stopped.
 *
 * All transfers are verified (load.ts), and all logs are read (site.ts).
 * The status is 1 after any complaint.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../test/support/etherws.ts';
import { Lab } from '../test/support/namespaces.ts';
import { Random } from '../test/support/random.ts';
import { missingTapDevice, missingTools } from '../test/support/tools.ts';
import { DRAWS, type Fault } from './faults.ts';
import { Leaks } from './leaks.ts';
import { parseOptions, type SoakOptions } from './options.ts';
import { Verdict } from './verdict.ts';
import { PORTS_OF_RELAY, World } from './world.ts';

const GIB = 1024 ** 3;
/** The time limit for the start, when all programs start at the same time. */
const START_MS = 60_000;
/** Ports that wait for lost clients are removed within this time. */
const SETTLE_MS = 90_000;
const MIN_PAUSE_S = 1;
const MOST_PAUSE_S = 10;

const { durationMs, rounds, seed }: SoakOptions = parseOptions(process.argv.slice(2));
const startMs = performance.now();
const verdict = new Verdict();
const leaks = new Leaks();
const random = new Random(seed);
let lab: Lab | undefined;
let faults = 0;
let isInterrupted = false;

async function main(): Promise<void> {
  const missing = missingTools('iperf3', 'ping', 'nft', 'openssl', 'htpasswd') || missingTapDevice();
  if (missing !== false) throw new Error(`The soak ${missing}`);
  const length = Number.isFinite(rounds) ? `each fault ${rounds} times` : `for ${Math.round(durationMs / 60_000)} min`;
  say(`${length}, seed ${seed}`);
  lab = await Lab.open();
  const world = await World.open(lab, verdict);
  await world.recovered(START_MS);
  await settled(world);
  leaks.sample(world.sites);
  say('everything is up; the load begins');
  world.load.start();
  try {
    await breakThings(world);
    await world.load.stop();
    await finish(world);
  } catch (error) {
    if (isInterrupted) return;
    if (!isStopping(error)) verdict.complain(error instanceof Error ? error.message : String(error));
    for (const site of world.sites) process.stdout.write(`${await site.describe()}\n`);
    await world.load.stop();
  }
  const { bytes, verified, interrupted } = world.load;
  if (verified === 0) verdict.complain('not one transfer came through');
  say(`${faults} faults, ${(bytes / GIB).toFixed(1)} GiB, ${verified} transfers verified, ${interrupted} interrupted`);
}

/** Runs one fault after the other; each kind happens once before any is repeated. */
async function breakThings(world: World): Promise<void> {
  let kinds: (typeof DRAWS)[number][] = [];
  while (performance.now() - startMs < durationMs && faults < rounds * DRAWS.length) {
    // Drawn in any case, so that equal seeds choose equal faults.
    const drawnS = random.between(MIN_PAUSE_S, MOST_PAUSE_S);
    const pauseS = Number.isFinite(rounds) ? MIN_PAUSE_S : drawnS;
    await delay(pauseS * 1000, undefined, { signal: verdict.signal });
    if (kinds.length === 0) kinds = [...DRAWS];
    const draw = kinds.splice(random.below(kinds.length), 1)[0];
    if (draw === undefined) continue;
    await endure(world, draw(world, random));
    faults++;
    leaks.sample(world.sites);
  }
}

async function endure(world: World, fault: Fault): Promise<void> {
  await fault.happen();
  const brokenMs = performance.now();
  try {
    await world.recovered(fault.boundMs);
  } catch (error) {
    throw new Error(`${fault.name}: not back: ${error instanceof Error ? error.message : String(error)}`);
  }
  verdict.signal.throwIfAborted();
  const seconds = ((performance.now() - brokenMs) / 1000).toFixed(1);
  const { bytes, verified } = world.load;
  say(
    `${fault.name}; back after ${seconds} s · ${(bytes / GIB).toFixed(1)} GiB, ${verified} verified · MiB: ${leaks.describe()}`,
  );
}

/** Checks the state without load, judges leaks, and stops all switches. */
async function finish(world: World): Promise<void> {
  await settled(world);
  leaks.sample(world.sites);
  for (const complaint of leaks.judge()) verdict.complain(complaint);
  await Promise.all([world.pings.end(), ...world.crowds.map((crowd) => crowd.end())]);
  for (const site of world.sites) await site.stop();
}

/**
 * Waits for the expected state: ports that were added keep their numbers from the start, and the relay has the
 * expected tunnels and no others. Ports of lost clients may stay for a while.
 */
async function settled({ relay, west, east }: World): Promise<void> {
  for (const [site, own, count] of [
    [relay, ['tap', 'client'], PORTS_OF_RELAY],
    [west, ['tap', 'client'], 2],
    // After a restart the relay's tunnel may be the first port.
    [east, [], 2],
  ] as const) {
    await eventually(
      () => site.running.ports(),
      (ports) =>
        ports.length === count &&
        ports.every(({ state }) => state === 'up') &&
        own.every((type, index) => ports[index]?.type === type && ports[index]?.port === index + 1),
      SETTLE_MS,
    );
  }
}

function isStopping(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError' && verdict.signal.aborted;
}

function say(what: string): void {
  const seconds = Math.floor((performance.now() - startMs) / 1000);
  const clock = [3600, 60, 1].map((unit) => String(Math.floor(seconds / unit) % 60).padStart(2, '0')).join(':');
  process.stdout.write(`${clock}  ${what}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isInterrupted = true;
    say(`${signal}: cleaning up`);
    void lab?.close().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  });
}

try {
  await main();
} catch (error) {
  verdict.complain(error instanceof Error ? error.message : String(error));
} finally {
  await lab?.close();
}
if (!isInterrupted) {
  for (const complaint of verdict.complaints) process.stdout.write(`✖ ${complaint}\n`);
  const isGood = verdict.complaints.length === 0;
  say(
    isGood
      ? `✔ everything came back, nothing leaked; seed ${seed}`
      : `✖ failed; \`npm run soak -- --seed ${seed}\` draws the same faults`,
  );
  process.exitCode = isGood ? 0 : 1;
}
