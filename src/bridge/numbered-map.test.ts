import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumberedMap } from './numbered-map.ts';

function mapOf(...keys: readonly number[]): NumberedMap<number, string> {
  const map = new NumberedMap<number, string>();
  for (const key of keys) map.set(key, `value ${key}`);
  return map;
}

test('is iterated in the order of its numbers, in whatever order they came', () => {
  assert.deepEqual([...mapOf(3, 1, 2).sorted.keys()], [1, 2, 3]);
  assert.deepEqual([...mapOf(10, 9, 100).sorted.keys()], [9, 10, 100], 'by number, not by text');
  const map = mapOf(5, 2);
  assert.deepEqual(
    [...map.sorted],
    [
      [2, 'value 2'],
      [5, 'value 5'],
    ],
  );
  map.set(4, 'value 4');
  map.set(7, 'value 7');
  assert.deepEqual([...map.sorted.keys()], [2, 4, 5, 7], 'also behind a first time');
  map.delete(4);
  map.set(4, 'another');
  assert.deepEqual([...map.sorted.keys()], [2, 4, 5, 7]);
  assert.deepEqual([map.get(4), map.has(4), map.has(3), [...map.values()].length], ['another', true, false, 4]);
});

test('is sorted again for a lower number that comes behind a first time', () => {
  const map = mapOf(2, 5);
  assert.deepEqual([...map.sorted.keys()], [2, 5]);
  map.set(1, 'value 1');
  assert.deepEqual([...map.sorted.keys()], [1, 2, 5]);
});
