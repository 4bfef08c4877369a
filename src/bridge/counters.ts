import { DISCARD_REASONS, type DiscardReason } from './port.ts';

/** The cells of a port's counters: frames and octets received, frames and octets sent. Native code counts in the same cells. */
export const CELLS = 4;
export const RX_CELL = 0;
export const TX_CELL = 2;

/** The counters of one direction of a port. Plain numbers, since they are on the hot path. */
export class Counters {
  readonly #cells: Float64Array;
  readonly #at: number;
  /** The sum of `discards`. */
  discarded = 0;
  readonly discards: Record<DiscardReason, number> = Object.fromEntries(
    DISCARD_REASONS.map((reason) => [reason, 0]),
  ) as Record<DiscardReason, number>;

  /** @param cells `cells[at]` counts frames, `cells[at + 1]` octets */
  constructor(cells: Float64Array = new Float64Array(2), at = 0) {
    this.#cells = cells;
    this.#at = at;
  }

  get frames(): number {
    return this.#cells[this.#at] as number;
  }

  get octets(): number {
    return this.#cells[this.#at + 1] as number;
  }

  count(octets: number, frames = 1): void {
    (this.#cells[this.#at] as number) += frames;
    (this.#cells[this.#at + 1] as number) += octets;
  }

  /** Counts discarded frames. The only place that changes `discards`. */
  discard(reason: DiscardReason, frames = 1): void {
    this.discarded += frames;
    this.discards[reason] += frames;
  }
}
