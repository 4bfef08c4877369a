import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf, type Results, ratioOf, type Sample } from './results.ts';
import { median, quantile } from './statistics.ts';

function results(samples: readonly Sample[]): Results {
  const nothing = { machine: {}, contestants: {}, absent: {}, failures: [], disturbed: [], stolen: [] };
  return { startedAt: '', command: '', repetitions: 3, seconds: 1, samples: [...samples], ...nothing };
}

function series(contestant: string, values: readonly number[]): Sample[] {
  return values.map((value, repetition) => ({ repetition, turn: 1, contestant, metric: 'rate', value }));
}

test('the median of an even count lies between the two in the middle', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([9, 1, 5]), 5);
  assert.ok(Number.isNaN(median([])));
});

test('quantiles are values that were measured', () => {
  const values = Array.from({ length: 101 }, (_, i) => 100 - i);
  assert.equal(quantile(values, 0.5), 50);
  assert.equal(quantile(values, 0.99), 99);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a ratio is taken within each repetition, so that a drift of the machine cancels out', () => {
  const drifting = results([...series('ours', [50, 100, 10]), ...series('floor', [100, 200, 20])]);
  assert.equal(ratioOf(drifting, 'ours', 'rate', 'floor'), 0.5);
  assert.equal(medianOf(drifting, 'ours', 'rate'), 50);
});

test('of several turns in a repetition each is compared with its own', () => {
  const turns = (contestant: string, values: readonly number[]): Sample[] =>
    values.map((value, i) => ({ repetition: 1, turn: i + 1, contestant, metric: 'rate', value }));
  const drifting = results([...turns('ours', [50, 10, 30]), ...turns('floor', [100, 20, 60])]);
  assert.equal(ratioOf(drifting, 'ours', 'rate', 'floor'), 0.5);
});

test('what was not measured has neither median nor ratio', () => {
  const lonely = results(series('ours', [1]));
  assert.equal(medianOf(lonely, 'floor', 'rate'), undefined);
  assert.equal(ratioOf(lonely, 'ours', 'rate', 'floor'), undefined);
  assert.equal(ratioOf(results([...series('ours', [1]), ...series('floor', [0])]), 'ours', 'rate', 'floor'), undefined);
});
