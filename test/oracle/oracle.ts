/*
 * `npm run test:oracle -- --runs N --seed S`: the differential tests of CI, with any number of scripts. The status is 1
 * after a difference.
 */
import { parseArgs } from 'node:util';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { CoreWorld } from './core-world.ts';
import { KERNEL_PROFILES, OVS_PROFILES, type Profile } from './generate.ts';
import { KernelWorld } from './kernel-world.ts';
import { OVS_TOOLS } from './ovs-process.ts';
import { OvsWorld } from './ovs-world.ts';
import { findDifference } from './runs.ts';
import type { World } from './script.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    profile: { type: 'string', multiple: true },
  },
});
const missing = enterOwnNamespace('python3', ...OVS_TOOLS);
if (missing !== false) throw new Error(missing);
const runs = wholeNumber('runs', values.runs);
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : wholeNumber('seed', values.seed);
const isWanted = ({ name }: Profile): boolean => values.profile?.includes(name) ?? true;
if (![...KERNEL_PROFILES, ...OVS_PROFILES].some(isWanted)) {
  const names = [...KERNEL_PROFILES, ...OVS_PROFILES].map(({ name }) => name);
  throw new Error(`no such profile; there are ${names.join(', ')}`);
}
await judge(KERNEL_PROFILES.filter(isWanted), () => KernelWorld.open());
await judge(OVS_PROFILES.filter(isWanted), () => OvsWorld.open());

async function judge(profiles: readonly Profile[], open: () => Promise<World>): Promise<void> {
  if (profiles.length === 0) return;
  const oracle = await open();
  try {
    for (const profile of profiles) await judgeBy(oracle, profile);
  } finally {
    await oracle.close();
  }
}

async function judgeBy(oracle: World, profile: Profile): Promise<void> {
  const startMs = performance.now();
  const difference = await findDifference(new CoreWorld(), oracle, profile, { runs, seed });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const same = `${profile.name}: ${runs} scripts from seed ${seed} on, no difference to ${oracle.name}, ${seconds} s`;
  process.stdout.write(`${difference ?? same}\n`);
  if (difference !== undefined) process.exitCode = 1;
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} is a whole number, not "${text}"`);
  return number;
}
