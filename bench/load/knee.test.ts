import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findKnee, type Trial } from './knee.ts';

/** A path that carries everything up to `capacity`, from a generator that reaches `reach`. */
function path(capacity: number, reach = Number.POSITIVE_INFINITY): (rate: number) => Promise<Trial> {
  return async (rate) => {
    const offered = Math.min(rate, reach);
    return { offered, delivered: offered <= capacity ? offered : 0 };
  };
}

test('the knee is found to a twentieth wherever it lies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2_000, max: 5_000_000 }), async (capacity) => {
      const knee = await findKnee(path(capacity));
      assert.ok(knee <= capacity && knee >= capacity * 0.9, `${knee} of ${capacity}`);
    }),
    { seed: 1 },
  );
});

test('a generator that cannot go faster ends the search with what it offered', async () => {
  assert.equal(await findKnee(path(1_000_000, 300_000)), 300_000);
});

test('a path that carries nothing has its knee at 0, after a bounded search', async () => {
  let trials = 0;
  const knee = await findKnee(async (rate) => {
    trials++;
    return { offered: rate, delivered: 0 };
  });
  assert.equal(knee, 0);
  assert.ok(trials < 20, `${trials} trials`);
});
