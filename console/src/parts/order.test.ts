import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CellValue, matches, orderOf } from './order.ts';

const order = (values: CellValue[], isDescending = false, last?: number[]): (CellValue | undefined)[] =>
  orderOf(values, (value) => value, isDescending, last).map((place) => values[place]);

test('numbers are sorted by size and names as people do; absent values are last in both directions', () => {
  assert.deepEqual(order([10, null, 9, 100]), [9, 10, 100, null]);
  assert.deepEqual(order([10, null, 9, 100], true), [100, 10, 9, null]);
  assert.deepEqual(order(['tap10', 'tap2', null, 'TAP1']), ['TAP1', 'tap2', 'tap10', null]);
});

test('rows with equal values keep their order', () => {
  assert.deepEqual(
    orderOf([3, 1, 2], () => 7, true),
    [0, 1, 2],
  );
  assert.deepEqual(
    orderOf([3, 1, 2], () => 7, true, [2, 0, 1]),
    [2, 0, 1],
  );
});

test('the last order may be one of more rows, of fewer, or of others', () => {
  for (const last of [[], [0], [2, 1, 0], [4, 3, 1, 0, 2]])
    assert.deepEqual(order([30, 10, 20], false, last), [10, 20, 30]);
});

test('a filter finds each of its words in any of the texts, in whatever case', () => {
  const texts = ['tap', 'Office', 12, null];
  assert.ok(matches('', texts));
  assert.ok(matches('office TAP', texts));
  assert.ok(matches('12', texts));
  assert.ok(!matches('office lab', texts));
});
