/** A rate, and how much of it may come at once. */
export interface Rate {
  readonly perSecond: number;
  /** what a bucket holds at most */
  readonly burst: number;
}

/**
 * A token bucket. Something is let through while there are tokens at all, and
 * may take more than there are: a super-frame of many segments passes, and what
 * follows waits for the debt to be paid. So the rate holds over any longer time.
 */
export class TokenBucket {
  #rate: Rate;
  #tokens: number;
  #lastMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#lastMs = nowMs;
  }

  /** What is there stays, within the new burst. */
  change(rate: Rate): void {
    this.#rate = rate;
    this.#tokens = Math.min(this.#tokens, rate.burst);
  }

  /** Whether there is anything; time never runs backwards for it. */
  isOpen(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs > 0) {
      this.#lastMs = nowMs;
      this.#tokens = Math.min(this.#rate.burst, this.#tokens + (elapsedMs * this.#rate.perSecond) / 1000);
    }
    return this.#tokens > 0;
  }

  take(tokens: number): void {
    this.#tokens -= tokens;
  }
}
