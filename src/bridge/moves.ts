import type { PortNumber } from './bridge-port.ts';

/** An address that moves more often than this within the window counts as flapping: a duplicate address, or a loop. */
export const MOST_MOVES = 10;
export const MOVES_WINDOW_MS = 60_000;

/** The moves of one address between ports. Created at its first move. */
export class Moves {
  /** Since the address was learned. */
  total = 0;
  /** The port before its last move. */
  from: PortNumber;
  /** When the last moves were, one more than the window may have; the oldest stands at `total` modulo their number. */
  readonly #timesMs = new Float64Array(MOST_MOVES + 1);
  /** Moves since the last report, or since a minute without any. */
  #unreported = 0;
  #sinceMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(from: PortNumber) {
    this.from = from;
  }

  note(from: PortNumber, nowMs: number): void {
    if (nowMs - this.#lastMs >= MOVES_WINDOW_MS) {
      this.#unreported = 0;
      this.#sinceMs = nowMs;
    }
    this.#lastMs = nowMs;
    this.#unreported++;
    this.#timesMs[this.total % this.#timesMs.length] = nowMs;
    this.total++;
    this.from = from;
  }

  /** Whether it has moved more than ten times within the last minute. */
  isFlapping(nowMs: number): boolean {
    if (this.total <= MOST_MOVES) return false;
    return nowMs - (this.#timesMs[this.total % this.#timesMs.length] as number) < MOVES_WINDOW_MS;
  }

  /** The number of moves for a report, and their time span. The count for the next report begins here. */
  takeUnreported(nowMs: number): { moves: number; withinMs: number } {
    const report = { moves: this.#unreported, withinMs: nowMs - this.#sinceMs };
    this.#unreported = 0;
    this.#sinceMs = nowMs;
    return report;
  }
}
