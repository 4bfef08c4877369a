import { test } from 'node:test';
import { IsolatedMesh } from '../../../test/support/isolated-mesh.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';

const RUNS = fuzzCases(60);

test(`${RUNS} meshes with isolated ports: frames leave as from one switch, once`, () => {
  const random = new Random(fuzzSeed());
  for (let run = 0; run < RUNS; run++) new IsolatedMesh(random).liveAsOne(60, `seed ${random.seed}, run ${run}`);
});

test(`${RUNS} meshes with cuts, full queues and small databases: no frame comes from one isolated port to another one`, () => {
  const random = new Random(fuzzSeed());
  for (let run = 0; run < RUNS; run++) {
    const fdbCapacity = random.pick([4, 8, 65_536]);
    new IsolatedMesh(random, fdbCapacity).liveWithFaults(100, `seed ${random.seed}, run ${run}`);
  }
});
