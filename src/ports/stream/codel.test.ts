import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoDel } from './codel.ts';

const TARGET_MS = 5;
const INTERVAL_MS = 100;

/** When heads are dropped, of a queue that is asked once a millisecond. */
function dropTimes(codel: CoDel, fromMs: number, toMs: number, waitedMs: number, isLast = false): number[] {
  const times: number[] = [];
  for (let nowMs = fromMs; nowMs < toMs; nowMs++) if (codel.drops(waitedMs, isLast, nowMs)) times.push(nowMs);
  return times;
}

test('the first drop comes after an interval above the target, the next ones ever closer', () => {
  const gaps = (n: number) => INTERVAL_MS / Math.sqrt(n);
  const expected = [100, 100 + gaps(1), 100 + gaps(1) + gaps(2), 100 + gaps(1) + gaps(2) + gaps(3)].map(Math.ceil);
  assert.deepEqual(dropTimes(new CoDel(TARGET_MS, INTERVAL_MS), 0, 340, 6), expected);
});

test('a wait below the target, or a queue of one frame, starts the interval anew', () => {
  for (const calm of [
    { waitedMs: 4.9, isLast: false },
    { waitedMs: 60, isLast: true },
  ]) {
    const codel = new CoDel(TARGET_MS, INTERVAL_MS);
    assert.deepEqual(dropTimes(codel, 0, 99, 60), []);
    assert.equal(codel.drops(calm.waitedMs, calm.isLast, 99), false);
    assert.deepEqual(dropTimes(codel, 100, 200, 60), []);
    assert.deepEqual(dropTimes(codel, 200, 201, 60), [200]);
  }
});

test('dropping resumes at the rate that was enough, when that was a moment ago', () => {
  const drops = (calmMs: number) => {
    const codel = new CoDel(TARGET_MS, INTERVAL_MS);
    dropTimes(codel, 0, 2000, 60);
    codel.drops(1, false, 2000);
    return dropTimes(codel, 2000 + calmMs, 2000 + calmMs + 400, 60).length;
  };
  assert.ok(drops(10) > 3 * drops(5000), `${drops(10)} and ${drops(5000)}`);
});
