import { DISCARD_REASONS, type DiscardReason } from './port.ts';

/** The cells of a port's counters: frames and octets received, frames and octets sent. Native code counts in the same cells. */
export const CELLS = 4;
export const RX_CELL = 0;
export const TX_CELL = 2;

/** The discards for one reason. */
export interface ReasonCount {
  readonly reason: DiscardReason;
  readonly frames: number;
}

interface Count extends ReasonCount {
  frames: number;
  next: Count | undefined;
}

/**
 * The counters of one direction of a port. Plain numbers, since they are on the hot path. Only the reasons that have occurred take
 * memory, since a port meets few of them.
 */
export class Counters {
  readonly #cells: Float64Array;
  readonly #at: number;
  /** All discarded frames. */
  discarded = 0;
  /** In the order of DISCARD_REASONS. */
  #first: Count | undefined;

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

  /** The discarded frames by reason, as they are now: a new object with all reasons. */
  get discards(): Record<DiscardReason, number> {
    const counts = Object.fromEntries(DISCARD_REASONS.map((reason) => [reason, 0])) as Record<DiscardReason, number>;
    for (const { reason, frames } of this.occurred()) counts[reason] = frames;
    return counts;
  }

  /** The reasons that have occurred, in the order of DISCARD_REASONS. */
  *occurred(): IterableIterator<ReasonCount> {
    for (let count = this.#first; count !== undefined; count = count.next) yield count;
  }

  discardsFor(reason: DiscardReason): number {
    return this.#find(reason)?.frames ?? 0;
  }

  count(octets: number, frames = 1): void {
    (this.#cells[this.#at] as number) += frames;
    (this.#cells[this.#at + 1] as number) += octets;
  }

  /** Counts discarded frames. */
  discard(reason: DiscardReason, frames = 1): void {
    this.discarded += frames;
    const count = this.#find(reason) ?? this.#add(reason);
    count.frames += frames;
  }

  #find(reason: DiscardReason): Count | undefined {
    let count = this.#first;
    while (count !== undefined && count.reason !== reason) count = count.next;
    return count;
  }

  #add(reason: DiscardReason): Count {
    const place = DISCARD_REASONS.indexOf(reason);
    let before: Count | undefined;
    let next = this.#first;
    while (next !== undefined && DISCARD_REASONS.indexOf(next.reason) < place) {
      before = next;
      next = next.next;
    }
    const count: Count = { reason, frames: 0, next };
    if (before === undefined) this.#first = count;
    else before.next = count;
    return count;
  }
}
