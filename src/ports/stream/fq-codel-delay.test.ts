import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, QUEUE_BYTES } from '../../../test/support/fair-queue-bench.ts';

interface Delivery {
  readonly atMs: number;
  readonly waitedMs: number;
  readonly flow: number;
  readonly serial: number;
  readonly bytes: number;
}

interface Source {
  send(nowMs: number): void;
  delivered?(delivery: Delivery): void;
}

/** When each frame of a bench was sent, by its serial number. */
const SENT = new WeakMap<Bench, number[]>();

function putAt(bench: Bench, flow: number, nowMs: number, length: number): number {
  const sent = SENT.get(bench) ?? [];
  SENT.set(bench, sent);
  const serial = bench.put(flow, nowMs, length);
  sent[serial] = nowMs;
  return serial;
}

/** Lets the sources send each millisecond, into a queue that is drained at a rate. */
function simulate(bench: Bench, ms: number, drainMbps: number, sources: Source[]): Delivery[] {
  const deliveries: Delivery[] = [];
  const bytesPerMs = drainMbps * 125;
  let credit = 0;
  for (let nowMs = 0; nowMs < ms; nowMs++) {
    for (const source of sources) source.send(nowMs);
    assert.ok(bench.queue.bytes <= QUEUE_BYTES);
    credit = Math.min(credit + bytesPerMs, 2 * bytesPerMs);
    while (credit > 0 && bench.queue.frames > 0) {
      for (const { flow, serial, bytes } of bench.take(nowMs, credit)) {
        credit -= bytes;
        const delivery = { atMs: nowMs, waitedMs: nowMs - (SENT.get(bench)?.[serial] as number), flow, serial, bytes };
        deliveries.push(delivery);
        for (const source of sources) source.delivered?.(delivery);
      }
    }
  }
  return deliveries;
}

/** Sends at a steady rate, whatever is lost. */
function steady(bench: Bench, flow: number, mbps: number, frameBytes = 1514): Source {
  let credit = 0;
  return {
    send: (nowMs) => {
      for (credit += mbps * 125; credit >= frameBytes; credit -= frameBytes) putAt(bench, flow, nowMs, frameBytes);
    },
  };
}

/** Sends as a TCP does (RFC 5681): a window that doubles, then grows by a frame a round trip, and is halved by a loss. */
function responsive(bench: Bench, flow: number, roundTripMs: number): Source {
  const outstanding: number[] = [];
  const answers: { atMs: number; lost: number }[] = [];
  let inFlight = 0;
  let window = 10;
  let threshold = 60;
  let recoveredMs = 0;
  return {
    delivered: (delivery) => {
      if (delivery.flow !== flow) return;
      const lost = outstanding.indexOf(delivery.serial);
      outstanding.splice(0, lost + 1);
      answers.push({ atMs: delivery.atMs + roundTripMs, lost });
    },
    send: (nowMs) => {
      while (answers[0] !== undefined && answers[0].atMs <= nowMs) {
        const lost = answers.shift()?.lost ?? 0;
        inFlight -= 1 + lost;
        if (lost === 0) window += window < threshold ? 1 : 1 / window;
        else if (nowMs >= recoveredMs) {
          window = Math.max(window / 2, 2);
          threshold = window;
          recoveredMs = nowMs + 2 * roundTripMs;
        }
      }
      for (; inFlight < window; inFlight++) outstanding.push(putAt(bench, flow, nowMs, 1514));
    },
  };
}

function waits(
  deliveries: Delivery[],
  isWanted: (delivery: Delivery) => boolean,
): { meanMs: number; longestMs: number } {
  const wanted = deliveries.filter(isWanted).map(({ waitedMs }) => waitedMs);
  assert.ok(wanted.length > 0);
  return { meanMs: wanted.reduce((sum, ms) => sum + ms, 0) / wanted.length, longestMs: Math.max(...wanted) };
}

test('two bulk flows share within a tenth, though one sends super-frames', () => {
  const bench = new Bench();
  const got = simulate(bench, 3000, 100, [steady(bench, 1, 150, 1514), steady(bench, 2, 150, 60_000)]);
  const share = (of: number) => got.reduce((sum, { flow, bytes }) => sum + (flow === of ? bytes : 0), 0);
  const ratio = share(1) / share(2);
  assert.ok(ratio > 0.9 && ratio < 1.1, `${ratio}`);
});

test('flows that never give way delay themselves, to a bound, and no other flow', () => {
  const bench = new Bench();
  const got = simulate(bench, 3000, 100, [steady(bench, 1, 75), steady(bench, 2, 75), steady(bench, 3, 0.1, 100)]);
  const bulk = waits(got, ({ flow }) => flow !== 3);
  const sparse = waits(got, ({ flow }) => flow === 3);
  // 1 MiB at 100 Mbit/s is 84 ms.
  assert.ok(bulk.longestMs <= 84, `${bulk.longestMs} ms`);
  assert.ok(sparse.longestMs <= 2, `${sparse.longestMs} ms`);
  assert.ok(bench.drops.queueDelay > 100 && bench.drops.queueFull > 100, JSON.stringify(bench.drops));
  const bytes = got.reduce((sum, delivery) => sum + delivery.bytes, 0);
  assert.ok(bytes > 0.99 * 3000 * 12_500, 'the tunnel was never left idle');
});

test('the slower the link, the sooner even a flow that never gives way is brought near the target', () => {
  const bench = new Bench();
  const got = simulate(bench, 20_000, 2, [steady(bench, 1, 1.5), steady(bench, 2, 1.5)]);
  const { meanMs } = waits(got, ({ atMs }) => atMs > 10_000);
  // A frame takes 6 ms here, and CoDel leaves two of each flow in peace. 1 MiB would be 4 s.
  assert.ok(meanMs < 50, `${meanMs} ms`);
  assert.equal(bench.drops.queueFull, 0);
});

test('flows that give way wait for about the target, and fill the tunnel', () => {
  const run = (targetMs: number) => {
    const bench = new Bench({ targetMs });
    const got = simulate(
      bench,
      12_000,
      100,
      [1, 2, 3, 4].map((flow) => responsive(bench, flow, 20)),
    );
    const steadyState = got.filter(({ atMs }) => atMs >= 4000);
    const bytes = steadyState.reduce((sum, delivery) => sum + delivery.bytes, 0);
    return { ...waits(steadyState, () => true), used: bytes / (8000 * 12_500), drops: bench.drops };
  };
  const controlled = run(5);
  assert.ok(controlled.meanMs < 10, JSON.stringify(controlled));
  assert.ok(controlled.used > 0.9, JSON.stringify(controlled));
  assert.equal(controlled.drops.queueFull, 0);
  // Without CoDel the same flows fill what there is.
  assert.ok(run(1e6).meanMs > 30);
});

test('a burst that leaves within the interval is not touched', () => {
  const bench = new Bench();
  const burst = { send: (nowMs: number) => void (nowMs % 200 === 0 && burstAt(nowMs)) };
  const burstAt = (nowMs: number) => {
    for (let n = 0; n < 600; n++) putAt(bench, n % 2, nowMs, 1514);
  };
  // 600 frames take 73 ms.
  const got = simulate(bench, 1000, 100, [burst]);
  assert.equal(got.length, 3000);
  assert.ok(waits(got, () => true).longestMs > 60);
  assert.deepEqual(bench.drops, { queueDelay: 0, queueFull: 0 });
});

test('what waits during a stall of the tunnel leaves behind it', () => {
  const bench = new Bench();
  for (let n = 0; n < 100; n++) bench.put(1, n);
  assert.equal(bench.take(60_000).length, 100);
});
