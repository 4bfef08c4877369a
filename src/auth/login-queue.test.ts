import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LoginQueue } from './login-queue.ts';

test('one owner alone has all places, in order', () => {
  const queue = new LoginQueue<number>(3);
  assert.deepEqual(
    [1, 2, 3].map((entry) => queue.push('a', entry)),
    [undefined, undefined, undefined],
  );
  assert.equal(queue.push('a', 4), 4, 'no room');
  assert.deepEqual([queue.shift(), queue.shift(), queue.shift(), queue.shift()], [1, 2, 3, undefined]);
});

test('an entry displaces the youngest of the owner that has most', () => {
  const queue = new LoginQueue<string>(4);
  for (const entry of ['a1', 'a2', 'a3', 'b1']) queue.push(entry.slice(0, 1), entry);
  assert.equal(queue.push('c', 'c1'), 'a3');
  assert.equal(queue.push('c', 'c2'), 'c2', 'no owner has more than a fair share any more');
  assert.deepEqual(queue.drain().sort(), ['a1', 'a2', 'b1', 'c1']);
  assert.equal(queue.length, 0);
});

test('owners take turns', () => {
  const queue = new LoginQueue<string>(9);
  for (const entry of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) queue.push(entry.slice(0, 1), entry);
  const order = [...Array(6)].map(() => queue.shift());
  assert.deepEqual(order, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('whatever happens: never above the capacity, nothing lost, nothing twice, and a small owner is never displaced', () => {
  const step = fc.oneof(fc.constant(null), fc.constantFrom('a', 'b', 'c'));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step), (capacity, steps) => {
      const queue = new LoginQueue<{ owner: string; id: number }>(capacity);
      const inside = new Set<number>();
      for (const [id, owner] of steps.entries()) {
        if (owner === null) {
          const entry = queue.shift();
          assert.equal(entry === undefined, inside.size === 0);
          if (entry !== undefined) assert.ok(inside.delete(entry.id));
        } else {
          inside.add(id);
          const displaced = queue.push(owner, { owner, id });
          if (displaced !== undefined) assert.ok(inside.delete(displaced.id));
        }
        assert.equal(queue.length, inside.size);
        assert.ok(queue.length <= capacity);
      }
    }),
  );
});
