import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MUTANTS, mutated } from './mutants.ts';

const MOST_RUNS = 20;

mkdirSync('build', { recursive: true });
// Below the repository, where Node finds its packages.
const directory = mkdtempSync(join('build', 'simulation-mutants-'));
after(() => rmSync(directory, { recursive: true, force: true }));

for (const [index, mutant] of MUTANTS.entries()) {
  test(`the simulation finds a switch that ${mutant.what}`, async () => {
    const { planOf, play } = (await import(
      mutated(mutant, join(directory, String(index)))
    )) as typeof import('./run.ts');
    const { seed: first = 1 } = mutant;
    for (let seed = first; seed < first + MOST_RUNS; seed++) {
      const { faults } = await play(planOf(seed));
      if (faults.length > 0) return;
    }
    assert.fail(`${MOST_RUNS} runs found nothing`);
  });
}
