import { test } from 'node:test';
import { fuzzCases, fuzzSeed } from '../../../test/support/random.ts';
import { liveInMesh } from '../../../test/support/random-mesh.ts';

const RUNS = fuzzCases(60);
const SEED = fuzzSeed();

test(`${RUNS} meshes with moves, cuts and losses: no frame twice, no station stuck, and all nodes agree`, (t) => {
  t.diagnostic(`FUZZ_SEED=${SEED}`);
  for (let run = 0; run < RUNS; run++) liveInMesh(SEED + run);
});
