import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { NUMBERS_OF_EACH } from '../../src/daemon/workers/calls-to-workers.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { until } from '../support/waits.ts';
import { WorkerService } from '../support/worker-service.ts';

const FRAME_BYTES = 60;
/** On the raw wire: header and masking key from a client, header alone to it. */
const SENT_BYTES = FRAME_BYTES + 6;
const RECEIVED_BYTES = FRAME_BYTES + 2;
const PAIRS = 4;
const FRAMES_OF_EACH = 200_000;
const BLOCK_FRAMES = 1000;
const FRAMES_BEFORE = 30;
/** Less than 80 % arrive where no sender waits. Not all arrive on a busy machine: a process without a processor is waited for 100 ms. */
const ENOUGH = 0.9;
const ATTEMPTS = 4;

/** A message with one frame, masked by zeros. */
function messageOf(pair: number, from: number, to: number): Buffer {
  const message = Buffer.alloc(SENT_BYTES);
  message.set([0x82, 0x80 | FRAME_BYTES]);
  message.set([2, 0, 0, 0, pair, to, 2, 0, 0, 0, pair, from, 0x88, 0xb5], 6);
  return message;
}

/** A station that counts the octets of frames, and does not keep them. */
class Station {
  octets = 0;
  readonly tunnel: RawTunnel;

  constructor(tunnel: RawTunnel) {
    this.tunnel = tunnel;
    tunnel.socket.removeAllListeners('data').on('data', (bytes: Buffer) => {
      this.octets += bytes.length;
    });
  }

  static async join(t: TestContext, service: WorkerService): Promise<Station> {
    return new Station(await RawTunnel.open(t, service.tunnelPort));
  }
}

// What is written here is more than any socket holds, so it is lost where no sender is slowed down.
async function flood(t: TestContext, areIsolated: boolean): Promise<void> {
  const service = await WorkerService.start(t, 2, [], ETHERWS, []);
  const senders: Station[] = [];
  const receivers: Station[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    senders.push(await Station.join(t, service));
    receivers.push(await Station.join(t, service));
  }
  const numbers = (await service.ports()).map(({ port }) => port);
  const own = numbers.filter((number) => number < NUMBERS_OF_EACH);
  assert.equal(own.length, PAIRS);
  if (areIsolated) for (const number of own) await service.done('setport', String(number), '--isolated', '1');
  const each = <T>(run: (pair: number) => T): Promise<Awaited<T>[]> =>
    Promise.all(Array.from({ length: PAIRS }, (_, pair) => run(pair)));
  await each((pair) => receivers[pair]?.tunnel.send(messageOf(pair, 2, 1)));
  await each((pair) => senders[pair]?.tunnel.send(messageOf(pair, 1, 2)));
  // A switch sees for a while that all frames of a tunnel go to one port, before it lets them wait.
  await eventually(
    () => each((pair) => senders[pair]?.tunnel.send(messageOf(pair, 1, 2))),
    () => receivers.every(({ octets }) => octets >= FRAMES_BEFORE * RECEIVED_BYTES),
  );
  const best = await bestOf(ATTEMPTS, async () => {
    const before = receivers.map(({ octets }) => octets);
    await each(async (pair) => {
      const block = Buffer.concat(Array(BLOCK_FRAMES).fill(messageOf(pair, 1, 2)));
      for (let sent = 0; sent < FRAMES_OF_EACH; sent += BLOCK_FRAMES) await senders[pair]?.tunnel.send(block);
    });
    const arrived = (): number =>
      receivers.reduce((sum, { octets }, pair) => sum + octets - (before[pair] ?? 0), 0) / RECEIVED_BYTES;
    await until(() => arrived() >= ENOUGH * PAIRS * FRAMES_OF_EACH, 5000).catch(() => undefined);
    return arrived() / (PAIRS * FRAMES_OF_EACH);
  });
  assert.ok(best >= ENOUGH, `${(100 * best).toFixed(1)} % of the frames arrived`);
}

/** Repeats until it is enough. */
async function bestOf(attempts: number, run: () => Promise<number>): Promise<number> {
  let best = 0;
  for (let attempt = 0; attempt < attempts && best < ENOUGH; attempt++) best = Math.max(best, await run());
  return best;
}

for (const [how, areIsolated] of [
  ['flows', false],
  // Frames of isolated ports to other processes have no flows until their source is announced there.
  ['the bridge', true],
] as const) {
  test(
    `senders wait for a worker that takes their frames by ${how} more slowly than they come`,
    {
      timeout: 180_000,
    },
    (t) => flood(t, areIsolated),
  );
}
