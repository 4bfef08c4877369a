import { test } from 'node:test';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { VlanMesh } from '../../../test/support/vlan-mesh.ts';

const RUNS = fuzzCases(120);
const STEPS = 40;

test(`${RUNS} meshes with ports of all modes: frames leave as from one switch, with the same tags, once`, () => {
  const random = new Random(fuzzSeed());
  for (let run = 0; run < RUNS; run++) new VlanMesh(random).live(STEPS, `seed ${random.seed}, run ${run}`);
});
