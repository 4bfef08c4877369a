import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { runRandomLan } from '../../../test/support/random-lan.ts';

const RUNS = fuzzCases(15);

test(`${RUNS} random LANs with losses and restarts become the one tree that they must`, () => {
  const seeds = new Random(fuzzSeed());
  for (let run = 0; run < RUNS; run++) {
    const seed = seeds.next();
    assert.equal(runRandomLan(seed), '', `npm run stp -- --seed ${seed}`);
  }
});
