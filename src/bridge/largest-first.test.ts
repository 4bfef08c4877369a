import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LargestFirst, type Sized } from './largest-first.ts';

test('whatever comes, goes, grows and shrinks: the largest is on top', () => {
  const step = fc.record({
    op: fc.constantFrom('add', 'add', 'remove', 'grow', 'grow', 'shrink'),
    at: fc.nat(),
    size: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new LargestFirst<Sized>();
      const items: Sized[] = [];
      for (const { op, at, size } of steps) {
        const item = items[at % Math.max(1, items.length)];
        if (op === 'add' || item === undefined) {
          const added: Sized = { size, place: -1 };
          heap.add(added);
          items.push(added);
        } else if (op === 'remove') {
          heap.remove(item);
          items.splice(items.indexOf(item), 1);
        } else if (op === 'grow') heap.grow(item);
        else if (item.size > 0) heap.shrink(item);
        const most = items.length === 0 ? undefined : Math.max(...items.map((each) => each.size));
        assert.equal(heap.largest?.size, most);
      }
      // The rest is taken in order, so that an error below the top shows.
      for (const size of items.map((each) => each.size).sort((a, b) => b - a)) {
        const { largest } = heap;
        assert.equal(largest?.size, size);
        heap.remove(largest as Sized);
      }
      assert.equal(heap.largest, undefined);
    }),
    { numRuns: 500 },
  );
});

test('a change among ten thousand items looks at the sizes of few', () => {
  let looks = 0;
  class Counted implements Sized {
    place = 0;
    #size = 0;
    get size(): number {
      looks++;
      return this.#size;
    }
    set size(size: number) {
      this.#size = size;
    }
  }
  const heap = new LargestFirst<Counted>();
  const items = Array.from({ length: 10_000 }, () => new Counted());
  for (const item of items) heap.add(item);
  for (const change of ['grow', 'shrink'] as const) {
    for (let round = 0; round < 3; round++) {
      for (const item of items) {
        looks = 0;
        heap[change](item);
        // Two comparisons for each level, and two more for the choice between its children.
        assert.ok(looks <= 4 * Math.ceil(Math.log2(items.length)) + 4, `${looks} looks`);
      }
    }
  }
});

test('an item that takes the place of a smaller one is found when it is the largest', () => {
  const heap = new LargestFirst<Sized>();
  const items = [10, 3, 9, 2, 1, 8].map((size): Sized => ({ size, place: -1 }));
  for (const item of items) heap.add(item);
  heap.remove(items[3] as Sized);
  for (const size of [0, 0]) heap.add({ size, place: -1 });
  const sizes: number[] = [];
  for (let top = heap.largest; top !== undefined; top = heap.largest) {
    sizes.push(top.size);
    heap.remove(top);
  }
  assert.deepEqual(sizes, [10, 9, 8, 3, 1, 0, 0]);
});
