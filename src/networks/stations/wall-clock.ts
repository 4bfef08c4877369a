/** The clock of the host is believed anew when it is further off than this. */
const TOLERANCE_MS = 2000;

/**
 * Times of the monotonic clock as times of day. They are the same at each call, unless the clock of the host was set: two
 * listings of an unchanged table are equal.
 */
export class WallClock {
  readonly #now: () => number;
  #offsetMs: number;
  /** Another number after the clock of the host was set. */
  revision = 0;

  /** @param now the time of day in milliseconds; default: `Date.now` */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#offsetMs = Math.round(now() - performance.now());
  }

  /** To be called before a listing. */
  adjust(monotonicMs: number = performance.now()): void {
    const offsetMs = Math.round(this.#now() - monotonicMs);
    if (Math.abs(offsetMs - this.#offsetMs) <= TOLERANCE_MS) return;
    this.#offsetMs = offsetMs;
    this.revision++;
  }

  /** The time of day in the form of ISO 8601, with whole seconds. */
  at(monotonicMs: number): string {
    return `${new Date(this.#offsetMs + monotonicMs).toISOString().slice(0, 19)}Z`;
  }
}
