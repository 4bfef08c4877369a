import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fuzzCases, fuzzSeed } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';
import { CoreWorld } from './core-world.ts';
import { MIRRORS, PROVIDER, type Profile, TAGGED, VLAN_MIRRORS, VLANS } from './generate.ts';
import { OVS_TOOLS } from './ovs-process.ts';
import { OvsWorld } from './ovs-world.ts';
import { findDifference } from './runs.ts';

const skip = missingTools(...OVS_TOOLS);
const ovs = skip === false ? await OvsWorld.open() : undefined;
after(() => ovs?.close());

const PROFILES: readonly (readonly [profile: Profile, runs: number])[] = [
  [TAGGED, 40],
  [VLANS, 80],
  [PROVIDER, 40],
  [MIRRORS, 80],
  [VLAN_MIRRORS, 80],
];

for (const [profile, runs] of PROFILES) {
  test(`Open vSwitch and our bridge: ${runs} generated scripts, ${profile.name}`, { skip }, async () => {
    assert.ok(ovs !== undefined);
    const cases = { runs: fuzzCases(runs), seed: fuzzSeed() };
    const difference = await findDifference(new CoreWorld(), ovs, profile, cases);
    assert.ok(difference === undefined, difference);
  });
}
