import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import tls from 'node:tls';
import type { Port } from '../../src/bridge/port.ts';
import { dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';
import { TestDaemon } from '../support/daemon.ts';
import { FAULTS, type FaultPlan, FaultyHop } from '../support/faulty-records.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { PortRecorder, testFrame } from '../support/port-recorder.ts';
import { fuzzSeed, Random } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';

const { ETHERWS_BROKEN_TLS_RUNS = '24' } = process.env;
/** The number of tunnels with a broken record, for each version. */
const RUNS = Number(ETHERWS_BROKEN_TLS_RUNS);
/** The number of tunnels at the same time, more than a small machine has processors. */
const LANES = 4;
/** How often the sender continues after its broken record, so that a record that was cut gets its missing octets. */
const ROUNDS_BEHIND = 16;
/** A tunnel with broken TLS ends within 1 s; the rest is for a busy machine. */
const DEADLINE_MS = 60_000;
/** The reasons of an end that came by a timeout, not by what was broken. */
const TIMED_OUT = /no answer to a ping|did not (answer|finish .* handshake) within/;
const FRAMES = Array.from({ length: 8 }, (_, number) => broadcast(number));

function broadcast(number: number): Buffer {
  const frame = testFrame(number, 64 + number * 150);
  frame.fill(0xff, 0, 6);
  return frame;
}

/**
 * For each direction the number of the first record of application data that is certainly followed by others. Earlier
 * ones are those of the handshake and the request: if one of them is missing, both ends wait.
 */
const FIRST = { 'TLSv1.2': { up: 1, down: 0 }, 'TLSv1.3': { up: 2, down: 4 } } as const;
/** The same for records with frames only: for the server those after its response. */
const FIRST_OF_TUNNEL = { 'TLSv1.2': { up: 1, down: 1 }, 'TLSv1.3': { up: 2, down: 7 } } as const;
type First = { readonly up: number; readonly down: number };

/** Sends frames while the port is up, in separate turns of the event loop. */
async function chatter(port: Port, isOver: () => boolean, talk: Talk, way: 'isUp' | 'isDown'): Promise<void> {
  while (!isOver()) {
    if (!talk[way] || talk.roundsLeft-- <= 0) {
      await delay(1);
      continue;
    }
    const batch = batchOf(...FRAMES);
    for (let index = 0; index < FRAMES.length; index++) port.send(batch, index);
    port.flush(true);
    await turn();
    await delay(1);
  }
}

/** The ends that send: a sender notices more failures than a receiver. */
interface Talk {
  isUp: boolean;
  isDown: boolean;
  roundsLeft: number;
}

/** For each end, the time from the broken record to the end of the connection, and the reason. */
interface Run {
  readonly plan: FaultPlan;
  readonly client: { readonly afterMs: number; readonly reason: string };
  /** undefined: the opening handshake was not complete, so there was no tunnel */
  readonly server: { readonly afterMs: number; readonly reason: string } | undefined;
}

class Breaker {
  readonly #running: TestDaemon;
  readonly #ca: Buffer;
  readonly #random: Random;
  readonly #first: First;
  readonly #talk: Talk;
  readonly #isOneSided: boolean;

  constructor(
    { running, ca, random }: { running: TestDaemon; ca: Buffer; random: Random },
    first: First,
    talk: Talk,
    isOneSided: boolean,
  ) {
    this.#first = first;
    this.#talk = talk;
    this.#isOneSided = isOneSided;
    this.#running = running;
    this.#ca = ca;
    this.#random = random;
  }

  async run(hop: FaultyHop): Promise<Run> {
    const random = this.#random;
    const isUp = random.once(2);
    // Half of them are among the first records, during the take-over from Node.
    const record = this.#first[isUp ? 'up' : 'down'] + (random.once(2) ? random.below(6) : random.between(6, 60));
    const plan: FaultPlan = { fault: random.pick(FAULTS), isUp, record };
    const broken = hop.plan(plan);
    if (this.#isOneSided) {
      Object.assign(this.#talk, { isUp, isDown: !isUp, roundsLeft: Number.POSITIVE_INFINITY });
      void broken.then(() => {
        this.#talk.roundsLeft = ROUNDS_BEHIND;
      });
    }
    const what = JSON.stringify(plan);
    const [{ atMs, farPort }, client] = await this.#within(
      `the client: ${what}`,
      Promise.all([broken, this.#dial(hop)]),
    );
    const server = await this.#within(`the server: ${what}`, this.#serverEnd(farPort, atMs));
    return { plan, client: { ...client, afterMs: client.atMs - atMs }, server };
  }

  /** Dials, sends frames, and waits for the end. */
  async #dial(hop: FaultyHop): Promise<{ atMs: number; reason: string }> {
    const url = `wss://127.0.0.1:${hop.port}/`;
    let port: Port;
    try {
      port = await dialTunnel({ url, cacerts: this.#ca });
    } catch (error) {
      return { atMs: performance.now(), reason: (error as Error).message };
    }
    const events = new PortRecorder();
    port.open(events);
    await chatter(port, () => events.linkChanges.length > 0, this.#talk, 'isUp');
    const atMs = performance.now();
    await port.close('shutdown');
    return { atMs, reason: events.linkChanges[0]?.reason ?? '' };
  }

  async #serverEnd(farPort: number, atMs: number): Promise<Run['server']> {
    const target = `127.0.0.1:${farPort}`;
    const said = (message: string): { reason?: string } | undefined =>
      this.#running.log.findLast(
        (record) => record.message === message && (record.fields as { target?: string }).target === target,
      )?.fields as { reason?: string } | undefined;
    // The client's last octets may still be under way.
    if (said('port attached') === undefined) await delay(200);
    if (said('port attached') === undefined) return undefined;
    await until(() => said('port removed') !== undefined);
    return { afterMs: performance.now() - atMs, reason: said('link changed')?.reason ?? '' };
  }

  async #within<T>(what: string, done: Promise<T>): Promise<T> {
    const late = new AbortController();
    const timeout = delay(DEADLINE_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error(`not over within ${DEADLINE_MS} ms at ${what}\n${this.#running.logText.slice(-2000)}`);
    });
    try {
      return await Promise.race([done, timeout]);
    } finally {
      late.abort();
      timeout.catch(() => undefined);
    }
  }
}

function checkWords({ client, server, plan }: Run): void {
  const ends = [client, ...(server === undefined ? [] : [server])];
  for (const { reason } of ends) {
    assert.doesNotMatch(reason, /[\r\n]|error:|SSL|routines|\.c:|^$/, JSON.stringify(plan));
    assert.doesNotMatch(reason, TIMED_OUT, JSON.stringify(plan));
  }
  // The receiver of the broken record reports the fault; the other end gets an alert, or is cut before that.
  const [receiver, sender] = plan.isUp ? [server, client] : [client, server];
  if (server === undefined) return;
  assert.match(
    receiver?.reason ?? '',
    /^(the peer|The connection with 127\.0\.0\.1) broke TLS: [a-z_]+$/,
    JSON.stringify({ plan, client, server }),
  );
  assert.match(
    sender?.reason ?? '',
    /^the peer ended TLS: [a-z_]+$|^connection |^closed by the peer/,
    JSON.stringify({ plan, client, server }),
  );
}

describe('a record that breaks TLS ends its tunnel, at both ends and whenever it comes', {
  skip: missingTools('openssl'),
}, () => {
  async function breakMany(t: TestContext, version: keyof typeof FIRST, isOneSided: boolean): Promise<void> {
    const random = new Random(fuzzSeed());
    t.diagnostic(`FUZZ_SEED=${random.seed}`);
    const maker = new CertificateMaker();
    t.after(() => maker.remove());
    const { keyFile, certFile } = maker.make({ name: 'server', subjectAltName: 'IP:127.0.0.1' });
    const running = await TestDaemon.start(t, { sslkey: keyFile, sslcert: certFile, maxPerAddress: '1000' });
    const ca = readFileSync(certFile);
    const talker = await dialTunnel({ url: `wss://127.0.0.1:${running.tunnelPort}/`, cacerts: ca });
    let isOver = false;
    const events = new PortRecorder();
    talker.open(events);
    const talk: Talk = { isUp: true, isDown: true, roundsLeft: Number.POSITIVE_INFINITY };
    const talking = chatter(talker, () => isOver, talk, 'isDown');
    const standard = tls.DEFAULT_MAX_VERSION;
    tls.DEFAULT_MAX_VERSION = version;
    const runs: Run[] = [];
    try {
      const lanes = Array.from({ length: isOneSided ? 1 : LANES }, async () => {
        const hop = await FaultyHop.start(running.tunnelPort, random);
        const breaker = new Breaker(
          { running, ca, random },
          (isOneSided ? FIRST_OF_TUNNEL : FIRST)[version],
          talk,
          isOneSided,
        );
        try {
          while (runs.length < RUNS) runs.push(await breaker.run(hop));
        } finally {
          hop.close();
        }
      });
      await Promise.all(lanes);
    } finally {
      tls.DEFAULT_MAX_VERSION = standard;
      isOver = true;
      await talking;
      await talker.close('shutdown');
    }
    for (const run of runs) checkWords(run);
    const slowest = (times: readonly number[]): string => Math.max(...times).toFixed(0);
    const tunnels = runs.flatMap(({ server }) => (server === undefined ? [] : [server.afterMs]));
    assert.ok(tunnels.length > 0);
    t.diagnostic(
      `${runs.length} connections, ${tunnels.length} tunnels; over after ${slowest(runs.map(({ client }) => client.afterMs))} ms at the slowest client, ${slowest(tunnels)} ms at the slowest server`,
    );
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}, while both ends talk`, (t) => breakMany(t, version, false));
    test(`${version}, while only the end talks whose record is broken, and falls silent`, (t) =>
      breakMany(t, version, true));
  }
});
