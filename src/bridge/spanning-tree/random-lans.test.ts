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

test(`the same, with ${RUNS} LANs in which one bridge is a mesh of nodes whose links and messages are lost`, () => {
  const seeds = new Random(fuzzSeed() + 1);
  for (let run = 0; run < RUNS; run++) {
    const seed = seeds.next();
    assert.equal(runRandomLan(seed, { hasMesh: true }), '', `npm run stp -- --mesh --seed ${seed}`);
  }
});
