/*
 * `npm run test:oracle -- --runs N --seed S`: the differential tests of CI, with any number of scripts. The status is 1
 * after a difference.
 */
import { parseArgs } from 'node:util';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { CoreWorld } from './core-world.ts';
import { KERNEL_PROFILES } from './generate.ts';
import { KernelWorld } from './kernel-world.ts';
import { findDifference } from './runs.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    profile: { type: 'string', multiple: true },
  },
});
const missing = enterOwnNamespace('python3', 'ip');
if (missing !== false) throw new Error(missing);
const runs = wholeNumber('runs', values.runs);
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : wholeNumber('seed', values.seed);
const profiles = KERNEL_PROFILES.filter(({ name }) => values.profile?.includes(name) ?? true);
if (profiles.length === 0)
  throw new Error(`no such profile; there are ${KERNEL_PROFILES.map(({ name }) => name).join(', ')}`);

const kernel = await KernelWorld.open();
try {
  for (const profile of profiles) {
    const startMs = performance.now();
    const difference = await findDifference(new CoreWorld(), kernel, profile, { runs, seed });
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (difference !== undefined) {
      process.stdout.write(`${difference}\n`);
      process.exitCode = 1;
    } else {
      process.stdout.write(
        `${profile.name}: ${runs} scripts from seed ${seed} on, no difference to ${kernel.name}, ${seconds} s\n`,
      );
    }
  }
} finally {
  await kernel.close();
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} is a whole number, not "${text}"`);
  return number;
}
