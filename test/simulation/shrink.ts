import { play, type Result } from './run.ts';

const MOST_RUNS = 60;

/** Leaves out steps, half of them first, as long as the run still fails. */
export async function shrink(failed: Result): Promise<Result> {
  let smallest = failed;
  let from = 0;
  let size = Math.ceil(failed.plan.steps.length / 2);
  for (let runs = 0; runs < MOST_RUNS && size > 0; runs++) {
    const { steps } = smallest.plan;
    const result = await play({ ...smallest.plan, steps: [...steps.slice(0, from), ...steps.slice(from + size)] });
    if (result.faults.length > 0) smallest = result;
    else from += size;
    if (from < smallest.plan.steps.length) continue;
    from = 0;
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return smallest;
}
