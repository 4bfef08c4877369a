import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateHistory } from './rate-history.ts';

const rates = (rxBitRate: number, txBitRate: number) => ({ rxBitRate, txBitRate });

test('a port begins with the samples that the switch has kept, and goes on with those of the page', () => {
  const history = new RateHistory(4);
  history.sample(new Map([['1', { rxBitRate: 9, txBitRate: 90 }]]));
  history.fill('1', [1, 2, 3, 4, 5], [10, 20, 30, 40, 50]);
  history.sample(new Map([['1', { rxBitRate: 6, txBitRate: 60 }]]));
  assert.deepEqual([...history.seriesOf('1').receive], [3, 4, 5, 6]);
  assert.deepEqual([...history.seriesOf('1').transmit], [30, 40, 50, 60]);
  history.fill('2', [7], [70]);
  assert.deepEqual([...history.seriesOf('2').receive], [Number.NaN, Number.NaN, Number.NaN, 7]);
});

test('it keeps the last samples of each port, the oldest first', () => {
  const history = new RateHistory(3);
  for (const rate of [1, 2, 3, 4]) history.sample(new Map([['1', rates(rate, 10 * rate)]]));
  assert.deepEqual([...history.seriesOf('1').receive], [2, 3, 4]);
  assert.deepEqual([...history.seriesOf('1').transmit], [20, 30, 40]);
});

test('a port that came later has no samples before, and one that is gone is forgotten', () => {
  const history = new RateHistory(3);
  history.sample(new Map([['1', rates(1, 1)]]));
  history.sample(new Map([['2', rates(5, 6)]]));
  assert.deepEqual([...history.seriesOf('2').receive], [Number.NaN, Number.NaN, 5]);
  history.sample(new Map([['1', rates(7, 7)]]));
  assert.deepEqual([...history.seriesOf('1').receive], [Number.NaN, Number.NaN, 7]);
});
