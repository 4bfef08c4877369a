/** A rate, and how much of it may come at once. */
export interface Rate {
  readonly perSecond: number;
  /** what a bucket holds at most */
  readonly burst: number;
}

export const UNLIMITED: Rate = { perSecond: 0, burst: Number.POSITIVE_INFINITY };

/** How many cells a bucket has: its tokens, the time in milliseconds up to which they were filled, and its rate. */
export const BUCKET_CELLS = 4;
const TOKENS = 0;
const FILLED_MS = 1;
const PER_SECOND = 2;
const BURST = 3;

/**
 * A token bucket. Something is let through while there are tokens at all, and
 * may take more than there are: a super-frame of many segments passes, and what
 * follows waits until the bucket is above zero again. So the rate holds over any
 * longer time.
 *
 * It lives in cells, where native code that forwards for the bridge takes tokens by
 * the same rule (native/datapath/flow_table.h).
 */
export class TokenBucket {
  readonly #cells: Float64Array;
  readonly #at: number;

  /** @param cells `cells[at .. at + BUCKET_CELLS)` are the bucket's */
  constructor(rate: Rate, nowMs: number, cells: Float64Array = new Float64Array(BUCKET_CELLS), at = 0) {
    this.#cells = cells;
    this.#at = at;
    this.fill(rate, nowMs);
  }

  get isLimited(): boolean {
    return this.#cells[this.#at + BURST] !== UNLIMITED.burst;
  }

  /** Begins anew with a full bucket. */
  fill(rate: Rate, nowMs: number): void {
    this.#cells[this.#at + TOKENS] = rate.burst;
    this.#cells[this.#at + FILLED_MS] = nowMs;
    this.#setRate(rate);
  }

  /** What is there stays, within the new burst. */
  change(rate: Rate): void {
    this.#setRate(rate);
    this.#cells[this.#at + TOKENS] = Math.min(this.#cells[this.#at + TOKENS] as number, rate.burst);
  }

  /** Whether there is anything; time never runs backwards for it. */
  isOpen(nowMs: number): boolean {
    const cells = this.#cells;
    const at = this.#at;
    let tokens = cells[at + TOKENS] as number;
    const elapsedMs = nowMs - (cells[at + FILLED_MS] as number);
    if (elapsedMs > 0) {
      cells[at + FILLED_MS] = nowMs;
      tokens = Math.min(cells[at + BURST] as number, tokens + (elapsedMs * (cells[at + PER_SECOND] as number)) / 1000);
      cells[at + TOKENS] = tokens;
    }
    return tokens > 0;
  }

  take(tokens: number): void {
    (this.#cells[this.#at + TOKENS] as number) -= tokens;
  }

  #setRate({ perSecond, burst }: Rate): void {
    this.#cells[this.#at + PER_SECOND] = perSecond;
    this.#cells[this.#at + BURST] = burst;
  }
}
