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

test('is not sorted again where nothing came in between, nor where numbers only rose', () => {
  const risen = mapOf(1, 2, 3);
  const first = risen.sorted;
  const iterated = first.keys();
  assert.equal(iterated.next().value, 1);
  // Sorting empties the map and fills it again: an iterator that has begun would then begin anew.
  assert.equal(risen.sorted, first);
  assert.equal(iterated.next().value, 2);
  const mixed = mapOf(2, 1);
  const under = mixed.sorted.keys();
  assert.equal(under.next().value, 1);
  assert.equal(mixed.sorted.size, 2);
  assert.equal(under.next().value, 2);
});
