import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EndpointEntry } from '../../src/control/schema.ts';
import type { EndpointCounters } from '../../src/net/endpoint-counters.ts';
import type { EtherwsSwitch } from '../support/etherws.ts';
import { htpasswdLine, LEFT, openPair, PASSWORD, pings, RIGHT_TAP, startSwitches, USER } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import { LONGEST_MS, type Process } from '../support/process.ts';
import { until } from '../support/waits.ts';

/** The source is not copied by the compiler; this file runs as dist/test/attack/login-flood.test.js. */
const GENERATOR = fileURLToPath(new URL('../../../test/attack/programs/flood-requests.c', import.meta.url));
const LOGINS = 50_000;
/** The number of waves of the attack; each is compared with the time before it. */
const WAVES = 5;
const PINGS = 500;
/**
 * The generator prints a line every 250 responses: a wave without one for this time has failed. The duration of a whole
 * wave is not judged. The delays alone take 16 s; on a busy machine the switch takes longer on purpose, since logins
 * get at most a quarter of its thread: with a load of 16 on 2 processors, 169 of 200 open logins waited in the switch.
 */
const STALL_MS = 30_000;
/** Not below the deadline of a test file, which is the effective one. */
const MOST_WAVE_MS = 600_000;
/**
 * Limit of what the attack may add to the 99th percentile of the round trip, in ms.
 * The promised limit of 3 ms can be measured only on an idle machine. The default,
 * for a machine that runs other tests, is higher and allows for the noise there.
 */
const { ETHERWS_FLOOD_P99_MS: promised } = process.env;
const MOST_ADDED_MS = Number(promised ?? '25');

/** The 99th percentile of the round trips of one series of pings, all of which must be answered. */
async function p99(from: Host): Promise<number> {
  const { stdout } = await from.run(['ping', '-n', '-i', '0.01', '-c', String(PINGS), '-W', '2', RIGHT_TAP.v4]);
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, time]) => Number(time)).sort((a, b) => a - b);
  assert.ok(times.length >= PINGS * 0.99, `${times.length} of ${PINGS} pings came back`);
  return times[Math.ceil(times.length * 0.99) - 1] ?? 0;
}

/**
 * The same without an attack. Logins are checked by a thread of their own. Beside other tests that is one more program which wants
 * a processor, and delays pings as any other one does: so there is one here, too.
 */
async function p99Before(from: Host): Promise<number> {
  if (promised !== undefined) return p99(from);
  const busy = from.spawn(['sh', '-c', 'while :; do :; done'], { timeoutMs: 120_000 });
  try {
    return await p99(from);
  } finally {
    await busy.end();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** An opening handshake with a wrong password. */
function knock(user: string): string {
  const password = Buffer.from(`${user}:not the password`).toString('base64');
  const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const head = ['GET / HTTP/1.1', 'Host: 172.16.0.1', ...fields, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  return `${[...head, `Authorization: Basic ${password}`].join('\r\n')}\r\n\r\n`;
}

interface Battlefield {
  readonly left: Host;
  readonly lan: EtherwsSwitch;
  /** Makes so many failed logins. @returns the number of responses by status, when all have come */
  flood(logins: number): Promise<Record<string, number>>;
  /** Logs in with the right password. */
  join(): Promise<unknown>;
}

/**
 * Two switches with a tunnel between them, pings from tap to tap, and a third
 * host that floods the left one from many addresses. The generator has the lowest
 * priority: on a machine with few cores the test is to measure the cost of its
 * requests in the switch, not the processor time of the generator.
 */
async function openBattlefield(t: TestContext): Promise<Battlefield | undefined> {
  const pair = await openPair(t, 'ping', 'htpasswd', 'nice', 'cc');
  if (pair === undefined) return undefined;
  const { lab, left } = pair;
  const program = join(lab.directory, 'flood-requests');
  await left.check(['cc', '-O2', '-std=gnu11', '-o', program, GENERATOR]);
  const attacker = await lab.host('attacker');
  await lab.link(
    { host: left, device: 'eth1', addresses: ['172.16.0.1/24'] },
    { host: attacker, device: 'eth0', addresses: ['172.16.0.2/24'] },
  );
  await left.check(['ip', 'route', 'add', '10.64.0.0/10', 'via', '172.16.0.2']);
  await attacker.check(['ip', 'route', 'add', 'local', '10.64.0.0/10', 'dev', 'lo']);

  const users = join(lab.directory, 'users');
  // One expensive hash, and one so cheap that many logins are checked.
  writeFileSync(users, (await htpasswdLine('-B', USER, PASSWORD)) + (await htpasswdLine('-s', 'bob', PASSWORD)));
  const { leftSwitch: lan, rightSwitch } = await startSwitches(pair, ['--port', '8000', '--htpasswd', users]);
  const client = ['addport', 'client', `ws://${LEFT.v4}:8000/`, '--user', USER, '--passwd', PASSWORD];
  await rightSwitch.done(...client);
  assert.ok(await pings(left, RIGHT_TAP.v4));

  // With autogroup the scheduler shares the processor between sessions, each with a priority of its own.
  const humble = ['sh', '-c', 'echo 19 >/proc/self/autogroup; exec nice -n 19 "$@"', 'sh'];
  const flood = [program, '172.16.0.1', '8000', '200', '10.64.0.0/16', ...[USER, 'bob', 'nobody'].map(knock)];
  const generator = attacker.spawn([...humble, ...flood], { isInteractive: true, timeoutMs: LONGEST_MS });
  return { left, lan, flood: (logins) => wave(logins, generator, lan), join: () => rightSwitch.done(...client) };
}

/** @throws Error with the output of generator and switch, when responses stop, or a program has ended */
async function wave(logins: number, generator: Process, lan: EtherwsSwitch): Promise<Record<string, number>> {
  let answeredMs = performance.now();
  let statuses: string | undefined;
  generator.onLine((line) => {
    answeredMs = performance.now();
    if (line.startsWith('{')) statuses ??= line;
  });
  const programs = [generator, lan.process];
  const hasEnded = (): boolean => programs.some(({ pid }) => pid === undefined);
  generator.write(`${logins}\n`);
  await until(() => statuses !== undefined || hasEnded() || performance.now() - answeredMs > STALL_MS, MOST_WAVE_MS);
  if (statuses !== undefined) return JSON.parse(statuses) as Record<string, number>;
  const what = hasEnded()
    ? 'a program ended during a wave'
    : `fewer than 250 logins were answered within ${STALL_MS} ms`;
  throw new Error([what, ...programs.map(tailOf)].join('\n'));
}

/** The end of a program's output: a switch that refuses 50 000 logins may log as many lines. */
function tailOf({ command, stdout, stderr }: Process): string {
  return `${command.join(' ')}\n${stdout.slice(-1000)}\n${stderr.slice(-4000)}`;
}

test(`${LOGINS} failed logins while pings cross the switch`, async (t) => {
  const field = await openBattlefield(t);
  if (field === undefined) return;
  const { left, lan } = field;
  const answers: Record<string, number>[] = [];
  const quietP99: number[] = [];
  const added: number[] = [];
  for (let i = 0; i < WAVES; i++) {
    const quiet = await p99Before(left);
    const startedMs = performance.now();
    const [statuses, attacked] = await Promise.all([field.flood(LOGINS / WAVES), p99(left)]);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    t.diagnostic(
      `ping p99: ${quiet} ms; under attack: ${attacked} ms; answers in ${seconds} s: ${JSON.stringify(statuses)}`,
    );
    answers.push(statuses);
    quietP99.push(quiet);
    added.push(attacked - quiet);
  }

  // 401: checked; 429: the address failed too often; 503: too many logins were waiting.
  const total = (status: string): number => answers.reduce((sum, statuses) => sum + (statuses[status] ?? 0), 0);
  assert.equal(total('401') + total('429') + total('503'), LOGINS, JSON.stringify(answers));
  const { entries } = JSON.parse(await lan.done('listdoor', '--json')) as { entries: EndpointEntry[] };
  const { failedLogins = 0, throttledLogins = 0 }: Partial<Record<keyof EndpointCounters, number>> =
    entries.find(({ service }) => service === 'tunnels')?.counters ?? {};
  // At least, since a login whose response was lost is counted, too.
  assert.ok(failedLogins >= total('401') && throttledLogins >= total('429'), `${failedLogins}, ${throttledLogins}`);
  // The noise without an attack, from several quiet series.
  const noise = promised === undefined ? Math.max(...quietP99) - Math.min(...quietP99) : 0;
  assert.ok(median(added) <= MOST_ADDED_MS + noise, `p99 rose by ${added.map((ms) => ms.toFixed(1)).join(', ')} ms`);

  await t.test('and a client with the password is admitted meanwhile', async () => {
    const flood = field.flood(LOGINS / WAVES / 5);
    await Promise.race([field.join(), flood.then(() => assert.fail('the attack was over first'))]);
    assert.equal((await lan.ports()).length, 3);
    await flood;
  });
});
