import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallClock } from './wall-clock.ts';

test('times stay the same while the clock of the host drifts, and follow when it is set', () => {
  let skewMs = 1_700_000_000_000;
  const clock = new WallClock(() => performance.now() + skewMs);
  const before = clock.at(5000);
  assert.match(before, /^2023-11-14T22:13:2\dZ$/);
  skewMs += 1500;
  clock.adjust();
  assert.equal(clock.at(5000), before);
  skewMs += 3_600_000;
  clock.adjust();
  assert.match(clock.at(5000), /^2023-11-14T23:13:2\dZ$/);
});
