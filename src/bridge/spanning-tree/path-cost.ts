/** The path cost of 1 Gbit/s and of 10 Gbit/s (IEEE 802.1D-2004, table 17-3). */
const COST_1G = 20_000;
const COST_10G = 2000;
/** The path cost of 100 Mbit/s, for a tunnel that has not measured its round trip yet. */
const COST_UNMEASURED = 200_000;

/** The greatest step: 20 000 × 2¹³ is below the greatest cost, 200 000 000. */
const MAX_STEP = 13;
/** How far a round trip must be beyond the bounds of its step for the cost to change. */
const HYSTERESIS = 1.5;
/** How often a cost changes at most. */
const HOLD_MS = 60_000;
/** The least of so many measurements counts, since queues make a round trip longer, and never shorter. */
const WINDOW = 8;

/** The cost of a port on a device: that of 10 Gbit/s, so that a local device is better than any tunnel. */
export const DEVICE_COST = COST_10G;

/**
 * The path cost of a tunnel by its round trip: 20 000 up to 1 ms, and double for each doubling beyond. A tunnel has no
 * rate of its own, but the way with the least delay is the best one for most traffic.
 *
 * The cost is stable: it counts the least of the last measurements, has a hysteresis, and changes once a minute at
 * most, since each change may change the tree.
 */
export class TunnelCost {
  readonly #measurements: number[] = [];
  #step: number | undefined;
  #changedMs = 0;

  get cost(): number {
    return this.#step === undefined ? COST_UNMEASURED : COST_1G * 2 ** this.#step;
  }

  /** @returns whether the cost has changed */
  measured(roundTripMs: number, nowMs: number): boolean {
    if (this.#measurements.push(roundTripMs) > WINDOW) this.#measurements.shift();
    const least = Math.min(...this.#measurements);
    const step = stepOf(least);
    if (step === this.#step) return false;
    if (this.#step !== undefined) {
      if (nowMs - this.#changedMs < HOLD_MS || isNear(least, this.#step)) return false;
    }
    this.#step = step;
    this.#changedMs = nowMs;
    return true;
  }

  /** The tunnel has another connection, whose round trip is unknown. */
  forget(): void {
    this.#measurements.length = 0;
  }
}

function stepOf(roundTripMs: number): number {
  return Math.min(MAX_STEP, Math.max(0, Math.ceil(Math.log2(roundTripMs))));
}

/** Whether a round trip is within the bounds of a step, or a little beyond them. */
function isNear(roundTripMs: number, step: number): boolean {
  const upperMs = 2 ** step;
  const isTooLong = roundTripMs > upperMs * HYSTERESIS && step < MAX_STEP;
  const isTooShort = roundTripMs < upperMs / 2 / HYSTERESIS && step > 0;
  return !isTooLong && !isTooShort;
}
