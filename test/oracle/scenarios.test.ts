import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { CoreWorld } from './core-world.ts';
import { KernelWorld } from './kernel-world.ts';
import { OVS_TOOLS } from './ovs-process.ts';
import { OvsWorld } from './ovs-world.ts';
import { KERNEL_SCENARIOS, type Scenario, VLAN_SCENARIOS } from './scenarios.ts';
import type { World } from './script.ts';

const skip = enterOwnNamespace('python3', 'ip', ...OVS_TOOLS);
const kernel = skip === false ? await KernelWorld.open() : undefined;
const ovs = skip === false ? await OvsWorld.open() : undefined;
after(async () => {
  await kernel?.close();
  await ovs?.close();
});

/** The ports at which each compared frame came out. */
async function portsOf(world: World, { script }: Scenario): Promise<string[]> {
  const outcome = await world.play(script);
  return script.steps.flatMap((step, at) => {
    const isJudged = step.do === 'frame' && step.isUnjudged !== true;
    return isJudged ? [(outcome[at] ?? []).map((line) => Number.parseInt(line, 10)).join('')] : [];
  });
}

for (const [scenarios, oracle] of [
  [KERNEL_SCENARIOS, kernel],
  [VLAN_SCENARIOS, ovs],
] as const) {
  for (const scenario of scenarios) {
    test(`${scenario.name}: ${scenario.what}`, { skip }, async () => {
      assert.ok(oracle !== undefined);
      assert.deepEqual(await portsOf(oracle, scenario), scenario.ports, oracle.name);
      assert.deepEqual(await portsOf(new CoreWorld(), scenario), scenario.ports, 'ours');
    });
  }
}
