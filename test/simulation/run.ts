import { Random } from '../support/random.ts';
import { checkEnd, checkReachability } from './ending.ts';
import { makePlan, type Plan } from './plan.ts';
import { perform, talk } from './steps.ts';
import { World } from './world.ts';

const START_MS = 12_000;

export interface Result {
  readonly plan: Plan;
  /** what is wrong; none: nothing */
  readonly faults: readonly string[];
  readonly deliveries: number;
  readonly duplicates: number;
  /** How often one frame has come to one station. */
  readonly mostCopies: number;
  readonly virtualMs: number;
}

export function planOf(seed: number): Plan {
  return makePlan(seed, new Random(seed));
}

/** Plays a plan on a clock of its own. */
export async function play(plan: Plan): Promise<Result> {
  const world = new World(plan);
  const { clock, judge } = world;
  const startMs = clock.nowMs;
  clock.install();
  try {
    const random = new Random(plan.seed ^ 0x7a1c);
    world.start();
    for (const { id, kind } of plan.stations) if (kind === 'liar') world.joinLiar(id);
    await talk(world, START_MS, random);
    for (const [number, step] of plan.steps.entries()) {
      await perform(world, step, number);
      await talk(world, step.pauseMs, random);
    }
    await talk(world, 21_000, random);
    await checkReachability(world);
    await checkEnd(world);
  } catch (error) {
    judge.fault(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    clock.uninstall();
  }
  const { faults, deliveries, duplicates, mostCopies } = judge;
  return { plan, faults, deliveries, duplicates, mostCopies, virtualMs: clock.nowMs - startMs };
}
