import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Crowd } from '../support/crowd.ts';
import { type EtherwsSwitch, eventually } from '../support/etherws.ts';
import { bareNode, residentBytesOf } from '../support/examination.ts';
import { createCredentials, LEFT, PASSWORD, USER } from '../support/lan.ts';
import { openTapPair, startOnTap } from '../support/tap-pair.ts';

const MIB = 1024 * 1024;
/** Limits of the memory above that of a Node on the same machine with only a timer. */
const MOST_ABOVE_BARE = { idle: 15 * MIB, behindCrowd: 30 * MIB };
const CROWD = 1000;
/** The first waits are random, up to `minMs`. */
const WAITS = { minMs: 4000, maxMs: 8000 };
/** A deadline, not a limit of speed: on a busy machine a thousand TLS handshakes take long. */
const BACK_MS = 180_000;

test('memory of an idle daemon, and a thousand clients that come back at once', { concurrency: 2 }, async (t) => {
  await Promise.all([
    t.test('an idle daemon holds at most 15 MiB more than a bare Node', idle),
    t.test('a thousand clients come back at once, and leave nothing behind', thousand),
  ]);
});

async function idle(t: TestContext): Promise<void> {
  const pair = await openTapPair(t, 'openssl', 'htpasswd');
  if (pair === undefined) return;
  const bare = await bareNode(t);
  const daemon = await startOnTap(pair.left, ['--port', '8443', ...(await createCredentials(pair)).options]);
  await delay(60_000);
  const [residentBytes, bareBytes] = [residentBytesOf(daemon.process), residentBytesOf(bare)];
  const story = `idle for a minute: ${inMib(residentBytes)}, a bare Node ${inMib(bareBytes)}`;
  assert.ok(residentBytes <= bareBytes + MOST_ABOVE_BARE.idle, story);
  t.diagnostic(story);
}

async function thousand(t: TestContext): Promise<void> {
  const pair = await openTapPair(t, 'openssl', 'htpasswd');
  if (pair === undefined) return;
  const { left, right } = pair;
  const credentials = await createCredentials(pair);
  const options = ['--port', '8443', ...credentials.options];
  let server = await startOnTap(left, options);
  const tunnel = {
    url: `wss://${LEFT.v4}:8443/`,
    user: USER,
    passwd: PASSWORD,
    cacerts: readFileSync(credentials.authority.certificate, 'utf8'),
  };
  const crowds = [0, 1].map(() => new Crowd(right, CROWD / 2, tunnel, WAITS));
  t.after(() => Promise.all(crowds.map((crowd) => crowd.end())));
  const all = (): Promise<unknown> =>
    Promise.all(crowds.map((crowd) => crowd.becomes((up) => up === crowd.count, BACK_MS)));
  await all();
  assert.equal((await server.ports()).length, 1 + CROWD);

  // After tunnels that were up for 10 s the waits are the shortest again.
  await delay(11_000);
  await server.stop('SIGKILL');
  await Promise.all(crowds.map((crowd) => crowd.becomes((up) => up === 0, BACK_MS)));
  server = await startOnTap(left, options);
  const beginMs = performance.now();
  await all();
  t.diagnostic(`${CROWD} were back ${Math.round(performance.now() - beginMs)} ms after the server`);
  assert.equal((await server.ports()).length, 1 + CROWD);
  isSpread((await Promise.all(crowds.map((crowd) => crowd.firstWaits()))).flat());

  const full = residentBytesOf(server.process);
  const bareBytes = residentBytesOf(await bareNode(t));
  await Promise.all(crowds.map((crowd) => crowd.end()));
  await alone(server);
  const residentBytes = await eventually(
    async () => residentBytesOf(server.process),
    (bytes) => bytes <= bareBytes + MOST_ABOVE_BARE.behindCrowd,
    120_000,
  );
  t.diagnostic(
    `${inMib(full)} with ${CROWD} tunnels, ${inMib(residentBytes)} without, a bare Node ${inMib(bareBytes)}`,
  );
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** Asserts full jitter: no quarter of the range is empty, and none has most of the waits. */
function isSpread(waits: readonly number[]): void {
  assert.equal(waits.length, CROWD);
  const quarters = [0, 0, 0, 0];
  for (const wait of waits) {
    const quarter = Math.min(3, Math.floor((wait * 4) / WAITS.minMs));
    quarters[quarter] = (quarters[quarter] ?? 0) + 1;
  }
  for (const share of quarters) assert.ok(share > CROWD / 10 && share < CROWD / 2, quarters.join(', '));
}

/** Waits until no tunnel is left; a server may wait for its clients. */
async function alone(server: EtherwsSwitch): Promise<void> {
  await eventually(
    () => server.ports(),
    (ports) => ports.length === 1 && ports[0]?.type === 'tap',
    90_000,
  );
}
