/** What became of a rate that was tried. */
export interface Trial {
  /** What the generator really offered, a second. */
  readonly offered: number;
  /** What arrived, a second; 0 when too much was lost. */
  readonly delivered: number;
}

const FIRST_RATE = 50_000;
const LOWEST_RATE = 1_000;
/** The search ends when it knows the knee to this part. */
const PRECISION = 0.05;
/** The generator could not offer what was asked: the knee lies beyond what this machine can show. */
const GENERATOR_SHORTFALL = 0.9;
const MAX_TRIALS = 16;

/**
 * The highest rate that still arrives: doubled until it fails, then bisected.
 * @returns the highest `delivered` of all trials, 0 when even the lowest rate failed
 */
export async function findKnee(attempt: (rate: number) => Promise<Trial>): Promise<number> {
  let best = 0;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let rate = FIRST_RATE;
  for (let trial = 0; trial < MAX_TRIALS && rate >= LOWEST_RATE; trial++) {
    const { offered, delivered } = await attempt(rate);
    best = Math.max(best, delivered);
    if (delivered === 0) high = rate;
    else if (offered < rate * GENERATOR_SHORTFALL) break;
    else low = rate;
    if (high < Number.POSITIVE_INFINITY && high - low <= PRECISION * high) break;
    rate = high === Number.POSITIVE_INFINITY ? low * 2 : (low + high) / 2;
  }
  return best;
}
