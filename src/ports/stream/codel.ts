/** The drop rate of the last dropping state is reused within this many intervals (RFC 8289, 5.5). */
const REMEMBERED_INTERVALS = 16;

/**
 * Controlled delay (RFC 8289): when the shortest wait of a whole interval was
 * above the target, the queue is a standing queue and not a burst. Frames at its
 * head are then dropped, at a growing rate, until the wait is below the target.
 * The link rate need not be known.
 */
export class CoDel {
  readonly #targetMs: number;
  readonly #intervalMs: number;
  /** When the wait will have been above the target for one interval; infinity while the wait is not above it. */
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
   * Whether the head of the queue must be dropped. To be called once for each
   * frame that is about to leave, and after a drop for the next head. (The loop
   * over the queue in RFC 8289, 5.5 is the caller's.)
   *
   * @param waitedMs the time that the head spent in the queue
   * @param isLast at most one frame's octets wait behind the head, which is then not dropped (5.6)
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

  /** Enters the dropping state: at the last drop rate, if that is recent. */
  #startDropping(nowMs: number): void {
    const isRecent = nowMs - this.#dropNextMs < REMEMBERED_INTERVALS * this.#intervalMs;
    const delta = this.#count - this.#lastCount;
    this.#isDropping = true;
    this.#count = isRecent && delta > 1 ? delta : 1;
    this.#lastCount = this.#count;
    this.#dropNextMs = this.#after(nowMs);
  }

  /** The control law (RFC 8289, 4.4): the time between drops is the interval divided by the square root of their count. */
  #after(timeMs: number): number {
    return timeMs + this.#intervalMs / Math.sqrt(this.#count);
  }
}
