/** A rate and its burst. */
export interface Rate {
  readonly perSecond: number;
  /** the capacity of the bucket */
  readonly burst: number;
}

export const UNLIMITED: Rate = { perSecond: 0, burst: Number.POSITIVE_INFINITY };

/** The cells of a bucket: tokens, the time of the last refill in milliseconds, and the rate. */
export const BUCKET_CELLS = 4;
const TOKENS = 0;
const FILLED_MS = 1;
const PER_SECOND = 2;
const BURST = 3;

/**
 * A token bucket. Frames conform while the bucket is above zero, and
 * may take more tokens than there are, so that a super-frame of many segments conforms. Then
 * no frame conforms until the bucket is above zero again. So the rate holds over any
 * longer time.
 *
 * Its state is in cells that it shares with native code, which takes tokens by
 * the same rule (native/datapath/flow_table.h).
 */
export class TokenBucket {
  readonly #cells: Float64Array;
  readonly #at: number;

  /** @param cells the bucket uses `cells[at .. at + BUCKET_CELLS)` */
  constructor(rate: Rate, nowMs: number, cells: Float64Array = new Float64Array(BUCKET_CELLS), at = 0) {
    this.#cells = cells;
    this.#at = at;
    this.fill(rate, nowMs);
  }

  get isLimited(): boolean {
    return this.#cells[this.#at + BURST] !== UNLIMITED.burst;
  }

  /** Fills the bucket. */
  fill(rate: Rate, nowMs: number): void {
    this.#cells[this.#at + TOKENS] = rate.burst;
    this.#cells[this.#at + FILLED_MS] = nowMs;
    this.#setRate(rate);
  }

  /** Changes the rate; the tokens stay, within the new burst. */
  change(rate: Rate): void {
    this.#setRate(rate);
    this.#cells[this.#at + TOKENS] = Math.min(this.#cells[this.#at + TOKENS] as number, rate.burst);
  }

  /** Whether the bucket is above zero. An earlier time than that of the last call is ignored. */
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
