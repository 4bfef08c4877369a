import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { fuzzCases, fuzzSeed } from '../support/random.ts';
import { CoreWorld } from './core-world.ts';
import { AGEING, ISOLATED, MULTICAST, PLAIN, type Profile, SECURITY, SHUT, STATES } from './generate.ts';
import { KernelWorld } from './kernel-world.ts';
import { findDifference } from './runs.ts';

const skip = enterOwnNamespace('python3', 'ip');
const kernel = skip === false ? await KernelWorld.open() : undefined;
after(() => kernel?.close());

const PROFILES: readonly (readonly [profile: Profile, runs: number])[] = [
  [PLAIN, 100],
  [SHUT, 50],
  [STATES, 50],
  [ISOLATED, 50],
  [SECURITY, 150],
  [AGEING, 20],
  [MULTICAST, 40],
];

for (const [profile, runs] of PROFILES) {
  test(`the bridge of Linux and ours: ${runs} generated scripts, ${profile.name}`, { skip }, async () => {
    assert.ok(kernel !== undefined);
    const cases = { runs: fuzzCases(runs), seed: fuzzSeed() };
    const difference = await findDifference(new CoreWorld(), kernel, profile, cases);
    assert.ok(difference === undefined, difference);
  });
}
