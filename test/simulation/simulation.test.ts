import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, play } from './run.ts';

/** About 8 s of the processor; `npm run simulate -- --runs N` does more. */
const RUNS = 60;

test('whole sites with faults, lies and other settings keep their promises on a virtual clock', async () => {
  for (let seed = 1_000_000; seed < 1_000_000 + RUNS; seed++) {
    const { faults } = await play(planOf(seed));
    assert.deepEqual(faults, [], `npm run simulate -- --seed ${seed}`);
  }
});

test('a seed repeats its run', async () => {
  const one = await play(planOf(7));
  assert.deepEqual(await play(planOf(7)), one);
  assert.ok(one.deliveries > 100);
});
