/** The result of a trial at one rate. */
export interface Trial {
  /** The rate that the generator achieved, in packets a second. */
  readonly offered: number;
  /** The received rate; 0 if too much was lost. */
  readonly delivered: number;
}

const FIRST_RATE = 50_000;
const LOWEST_RATE = 1_000;
/** The relative precision at which the search ends: finer than the 3 % that the targets allow. */
const PRECISION = 0.02;
/** Below this share of the requested rate, the generator is the limit, and the knee cannot be found. */
const GENERATOR_SHORTFALL = 0.9;
const MAX_TRIALS = 16;

/**
 * Finds the highest rate without loss: it is doubled until it fails, then bisected.
 * @returns the highest `delivered` of all trials, 0 if even the lowest rate failed
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
