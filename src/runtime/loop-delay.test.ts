import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { LoopDelay } from './loop-delay.ts';

test('delays are counted by bucket, and the last minute is summed up', () => {
  const delay = new LoopDelay();
  assert.equal(delay.recent(), undefined);
  for (const lateMs of [-3, 0.5, 1, 1.5, 1000, 1001]) delay.note(lateMs);
  const buckets = [...delay.buckets()];
  assert.deepEqual(
    buckets
      .map(({ boundMs, samples }) => [boundMs, samples])
      .filter(([bound]) => [1, 2, 500, 1000].includes(bound ?? 0)),
    [
      [1, 3],
      [2, 4],
      [500, 4],
      [1000, 5],
    ],
  );
  assert.deepEqual(delay.total, { samples: 6, sumMs: 2004 });
  assert.deepEqual(delay.recent(), { meanMs: 334, p99Ms: 1001, maxMs: 1001 });

  for (let sample = 0; sample < 54; sample++) delay.note(sample === 0 ? 7 : 0);
  assert.equal(delay.recent()?.maxMs, 1001);
  for (let sample = 0; sample < 6; sample++) delay.note(0);
  assert.deepEqual([delay.recent()?.maxMs, delay.recent()?.p99Ms], [7, 7]);
  assert.equal(delay.total.samples, 66);
  delay.close();
});

test('the timer notes by how much it is late', async () => {
  let nowMs = 0;
  // Each reading of the clock is 8 ms later than the one before, and the interval is 5 ms, so each sample is 3 ms late.
  const delay = new LoopDelay(() => (nowMs += 8), 5);
  await until(() => delay.total.samples >= 2);
  const { samples, sumMs } = delay.total;
  // The first sample is due at 8 + 5 ms and comes at 16 ms; each later one is due 5 ms after the last reading.
  assert.equal(sumMs, samples * 3);
  delay.close();
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
  assert.deepEqual(timers, []);
});
