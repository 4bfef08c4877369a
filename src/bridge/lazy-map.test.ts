import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LazyMap } from './lazy-map.ts';
import { LazySet } from './lazy-set.ts';

test('a lazy map and a lazy set are as a Map and a Set, also when empty', () => {
  const map = new LazyMap<string, number>();
  const set = new LazySet<string>();
  assert.deepEqual(
    [map.size, map.get('a'), map.has('a'), map.delete('a'), [...map], [...map.keys()]],
    [0, undefined, false, false, [], []],
  );
  assert.deepEqual([set.size, set.has('a'), set.delete('a'), [...set]], [0, false, false, []]);
  map.set('a', 1);
  set.add('a');
  assert.deepEqual(
    [map.size, map.get('a'), map.delete('b'), [...map], [...map.values()]],
    [1, 1, false, [['a', 1]], [1]],
  );
  assert.deepEqual([set.size, set.has('a'), set.delete('b'), [...set]], [1, true, false, ['a']]);
  assert.deepEqual([map.delete('a'), map.size, set.delete('a'), set.size], [true, 0, true, 0]);
});

test('each member is one of its own, and is removed by itself or with all', () => {
  const map = new LazyMap<string, number>();
  const set = new LazySet<string>();
  const fill = (): void => {
    for (const [value, name] of ['a', 'b', 'c'].entries()) {
      map.set(name, value);
      set.add(name);
    }
  };
  const members = (): [string[], string[]] => [[...map.keys()], [...set]];
  fill();
  assert.deepEqual([map.delete('b'), set.delete('b')], [true, true]);
  assert.deepEqual(members(), [
    ['a', 'c'],
    ['a', 'c'],
  ]);
  map.clear();
  set.clear();
  assert.deepEqual(members(), [[], []]);
  fill();
  assert.deepEqual([map.size, set.size], [3, 3]);
});
