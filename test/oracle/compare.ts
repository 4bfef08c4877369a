import { MirrorJudge } from './mirror-judge.ts';
import { describeStep, type Outcome, type Script, type Step, type World } from './script.ts';

/** What is compared of an outcome. */
function judged({ steps }: Script, outcome: Outcome, isOurs: boolean): Outcome {
  const mirrors = new MirrorJudge();
  return outcome.map((frames, at) => {
    const step = steps[at] as Step;
    if (step.do === 'frame') return step.isUnjudged === true ? [] : mirrors.judged(step, frames, isOurs);
    mirrors.see(step);
    return frames;
  });
}

/** The first step at which two bridges differ. */
export interface Difference {
  readonly step: number;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

export function differenceOf(ours: Outcome, theirs: Outcome): Difference | undefined {
  for (let step = 0; step < Math.max(ours.length, theirs.length); step++) {
    const [left = [], right = []] = [ours[step], theirs[step]];
    if (left.join('\n') !== right.join('\n')) return { step, ours: left, theirs: right };
  }
  return undefined;
}

/** How often parts of one size are tried. */
const MOST_PASSES = 20;

/** Plays a script through both bridges. */
export async function compare(ours: World, theirs: World, script: Script): Promise<Difference | undefined> {
  return differenceOf(judged(script, await ours.play(script), true), judged(script, await theirs.play(script), false));
}

/**
 * Leaves out steps as long as a difference stays: halves first, then single steps.
 * @returns the smallest script that was found, and its difference
 */
export async function shrink(
  script: Script,
  difference: Difference,
  differs: (script: Script) => Promise<Difference | undefined>,
): Promise<{ readonly script: Script; readonly difference: Difference }> {
  // What follows the difference does not matter.
  let best: Script = { ...script, steps: script.steps.slice(0, difference.step + 1) };
  let found = difference;
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    let wasSmaller = true;
    for (let pass = 0; pass < MOST_PASSES && wasSmaller; pass++) {
      wasSmaller = false;
      for (let at = best.steps.length - size; at >= 0; at = Math.min(at, best.steps.length) - size) {
        const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + size)];
        const smaller = await differs({ ...best, steps });
        if (smaller === undefined) continue;
        best = { ...best, steps: steps.slice(0, smaller.step + 1) };
        found = smaller;
        wasSmaller = true;
      }
    }
  }
  return { script: best, difference: found };
}

/** The report of a difference: the script in lines, both results, and the script to paste. */
export function reportOf(names: readonly [string, string], script: Script, difference: Difference): string {
  const lines = script.steps.map((step: Step, index) => `  ${index + 1}. ${describeStep(step)}`);
  const heard = (frames: readonly string[]): string =>
    frames.length === 0 ? '    nothing' : frames.map((frame) => `    port ${frame}`).join('\n');
  return [
    `${script.ports} ports, ${script.steps.length} steps:`,
    ...lines,
    `after step ${difference.step + 1} comes out of ${names[0]}:`,
    heard(difference.ours),
    `and of ${names[1]}:`,
    heard(difference.theirs),
    JSON.stringify(script),
  ].join('\n');
}
