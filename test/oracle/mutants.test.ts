import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { CoreWorld } from './core-world.ts';
import { OVS_PROFILES } from './generate.ts';
import { KernelWorld } from './kernel-world.ts';
import { MUTANTS, mutatedBridge } from './mutants.ts';
import { OVS_TOOLS } from './ovs-process.ts';
import { OvsWorld } from './ovs-world.ts';
import { findDifference } from './runs.ts';

/** The most steps of the smallest script that shows one of these mistakes. */
const MOST_STEPS = 6;

const skip = enterOwnNamespace('python3', 'ip', ...OVS_TOOLS);
const kernel = skip === false ? await KernelWorld.open() : undefined;
const ovs = skip === false ? await OvsWorld.open() : undefined;
mkdirSync('build', { recursive: true });
// Below the repository, whose package.json says that these files are modules.
const directory = mkdtempSync(join('build', 'oracle-mutants-'));
after(async () => {
  rmSync(directory, { recursive: true, force: true });
  await kernel?.close();
  await ovs?.close();
});

for (const [number, mutant] of MUTANTS.entries()) {
  test(`scripts find a bridge that ${mutant.what}, and a small script shows it`, { skip }, async () => {
    const oracle = OVS_PROFILES.includes(mutant.profile) ? ovs : kernel;
    assert.ok(oracle !== undefined);
    const wrong = new CoreWorld('wrong', await mutatedBridge(mutant, join(directory, String(number))));
    const found = await findDifference(wrong, oracle, mutant.profile, { runs: 100, seed: 1 });
    const [, steps] = /(\d+) steps:/.exec(found ?? '') ?? [];
    assert.ok(Number(steps) <= MOST_STEPS, found ?? 'no script shows a difference');
  });
}
