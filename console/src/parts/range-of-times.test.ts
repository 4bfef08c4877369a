import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeOfTimes } from './range-of-times.ts';

test('an axis of time has a minute at least, with few samples, one and none', () => {
  assert.deepEqual(rangeOfTimes([], 500_000), [440, 500]);
  assert.deepEqual(rangeOfTimes([500], 501_000), [440, 500]);
  assert.deepEqual(rangeOfTimes([480, 490, 500], 501_000), [440, 500]);
  assert.deepEqual(rangeOfTimes([400, 450, 500], 501_000), [400, 500]);
});
