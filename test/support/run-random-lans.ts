import { parseArgs } from 'node:util';
import { Random } from './random.ts';
import { runRandomLan } from './random-lan.ts';

/**
 * `npm run stp -- --runs N`: random LANs of up to 60 bridges by the spanning tree protocol, on a virtual clock; a failure
 * prints its seed. `--seed S` repeats one. `--mesh`: one of the bridges is a mesh of nodes. `--from S`: the seed from which the seeds come; default: the time.
 */
const { values } = parseArgs({
  options: {
    ...{ runs: { type: 'string', default: '100' }, seed: { type: 'string' }, from: { type: 'string' } },
    mesh: { type: 'boolean', default: false },
  },
});

function seedsToRun(): number[] {
  if (values.seed !== undefined) return [Number(values.seed)];
  const random = new Random(Number(values.from ?? Date.now()));
  return Array.from({ length: Number(values.runs) }, () => random.next());
}

const seeds = seedsToRun();
let failures = 0;
for (const seed of seeds) {
  const wrong = runRandomLan(seed, { hasMesh: values.mesh });
  if (wrong === '') continue;
  failures++;
  console.log(`${wrong}\n\nrepeat with: npm run stp -- ${values.mesh ? '--mesh ' : ''}--seed ${seed}\n`);
}
console.log(`${seeds.length} LANs, ${failures} wrong`);
process.exitCode = failures === 0 ? 0 : 1;
