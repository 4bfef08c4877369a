/** After so many intervals of calm the drop rate that was found last means nothing any more (RFC 8289, 5.5). */
const REMEMBERED_INTERVALS = 16;

/**
 * Controlled delay (RFC 8289): when even the shortest wait of a whole interval
 * was above the target, the queue is not a burst but stands, and heads are
 * dropped, faster and faster, until it does not. It knows no rate and needs none.
 */
export class CoDel {
  readonly #targetMs: number;
  readonly #intervalMs: number;
  /** When the wait will have been above the target for an interval; for ever, while it is not above. */
  #mayDropFromMs = Number.POSITIVE_INFINITY;
  #isDropping = false;
  #dropNextMs = 0;
  #count = 0;
  #lastCount = 0;

  constructor(targetMs: number, intervalMs: number) {
    this.#targetMs = targetMs;
    this.#intervalMs = intervalMs;
  }

  /**
   * Judges the head of the queue; ask once for each frame that is about to
   * leave, and again for the next head when this one has to be dropped.
   * (RFC 8289, 5.5, turned from a loop over the queue into a question.)
   *
   * @param waitedMs the time that the head spent in the queue
   * @param isLast the queue behind the head is not worth a drop: at most one frame's octets (5.6)
   */
  drops(waitedMs: number, isLast: boolean, nowMs: number): boolean {
    if (!this.#isStanding(waitedMs, isLast, nowMs)) {
      this.#isDropping = false;
      return false;
    }
    if (!this.#isDropping) {
      this.#startDropping(nowMs);
      return true;
    }
    if (nowMs < this.#dropNextMs) return false;
    this.#count++;
    this.#dropNextMs = this.#after(this.#dropNextMs);
    return true;
  }

  /** RFC 8289, 5.6: `ok_to_drop`. */
  #isStanding(waitedMs: number, isLast: boolean, nowMs: number): boolean {
    if (waitedMs < this.#targetMs || isLast) {
      this.#mayDropFromMs = Number.POSITIVE_INFINITY;
      return false;
    }
    if (this.#mayDropFromMs === Number.POSITIVE_INFINITY) {
      this.#mayDropFromMs = nowMs + this.#intervalMs;
      return false;
    }
    return nowMs >= this.#mayDropFromMs;
  }

  /** Begins at the rate that was enough the last time, if that is not long ago. */
  #startDropping(nowMs: number): void {
    const isRecent = nowMs - this.#dropNextMs < REMEMBERED_INTERVALS * this.#intervalMs;
    const delta = this.#count - this.#lastCount;
    this.#isDropping = true;
    this.#count = isRecent && delta > 1 ? delta : 1;
    this.#lastCount = this.#count;
    this.#dropNextMs = this.#after(nowMs);
  }

  /** The control law: a TCP's rate goes with the root of its losses, so the gaps shrink with the root of their number. */
  #after(timeMs: number): number {
    return timeMs + this.#intervalMs / Math.sqrt(this.#count);
  }
}
