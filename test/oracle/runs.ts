import { Random } from '../support/random.ts';
import { compare, type Difference, reportOf, shrink } from './compare.ts';
import { generate, type Profile } from './generate.ts';
import type { Script, World } from './script.ts';

export interface Runs {
  readonly runs: number;
  /** Script number n has the seed `seed + n`. */
  readonly seed: number;
}

/**
 * Plays generated scripts through two bridges.
 * @returns the report of the first difference, with the smallest script that shows it; undefined without one
 */
export async function findDifference(
  ours: World,
  theirs: World,
  profile: Profile,
  { runs, seed }: Runs,
): Promise<string | undefined> {
  for (let run = 0; run < runs; run++) {
    const script = generate(new Random(seed + run), profile);
    const difference = await compare(ours, theirs, script);
    if (difference === undefined) continue;
    // Our bridge repeats itself. The other one has the clock of the machine: a timer of it that was late once is no rule.
    if ((await compare(ours, theirs, script)) === undefined) continue;
    const repeat = `npm run test:oracle -- --profile ${profile.name} --seed ${seed + run} --runs 1`;
    return `${await smallest(ours, theirs, script, difference)}\n${repeat}`;
  }
  return undefined;
}

async function smallest(ours: World, theirs: World, script: Script, difference: Difference): Promise<string> {
  const found = await shrink(script, difference, (smaller) => compare(ours, theirs, smaller));
  return reportOf([ours.name, theirs.name], found.script, found.difference);
}
