import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RATE_SAMPLES, RateHistory } from './rate-history.ts';

test('the past of a port is as long as the port is old, also while it carries nothing', () => {
  const history = new RateHistory();
  assert.deepEqual(history.lists(), { rx: [], tx: [] });
  history.add(0, 0);
  history.add(0, 0);
  assert.deepEqual(history.lists(), { rx: [0, 0], tx: [0, 0] });
  history.add(5, 0);
  history.add(0, 7);
  assert.deepEqual(history.lists(), { rx: [0, 0, 5, 0], tx: [0, 0, 0, 7] });
});

test('it ends with the last sample, and keeps no more than a minute', () => {
  const history = new RateHistory();
  for (let sample = 1; sample <= RATE_SAMPLES + 10; sample++) history.add(sample, 2 * sample);
  const { rx, tx } = history.lists();
  assert.equal(rx.length, RATE_SAMPLES);
  assert.deepEqual([rx[0], rx.at(-1), tx[0], tx.at(-1)], [11, RATE_SAMPLES + 10, 22, 2 * (RATE_SAMPLES + 10)]);
});
