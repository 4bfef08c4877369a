/** The most starts that are remembered. Only nodes with the secret take a place. */
const MOST_STARTS = 20_000;
/** Messages of a start that wait for its answer. */
const MOST_WAITING = 1000;
/** A start that did not answer is asked again after this time. */
const ASK_AGAIN_MS = 1000;
/** A message is not taken when one with a higher number was heard so long before, or at most twice as long. */
const LATE_MS = 5000;
/** A start of which nothing new was heard for this time is asked again: what it has said meanwhile may have been withheld. */
const SILENT_MS = 60_000;

interface Floor {
  /** the number from which the messages of the start are new */
  floor: number;
  /** the highest number that was heard, and when */
  highest: number;
  highestMs: number;
  /** a number that becomes the floor, and when it was the highest one */
  next: number;
  nextMs: number;
}

/**
 * Which starts of nodes live: a start is asked once, with a challenge, before its first message is believed. So a message that was
 * recorded before is worthless once its node has ended, whatever the clocks say. One that was withheld is worthless some seconds
 * after a later one of its node was heard.
 */
export class KnownStarts {
  readonly #ask: (start: string) => Promise<number>;
  readonly #nowMs: () => number;
  readonly #floors = new Map<string, Floor>();
  readonly #waiting = new Map<string, ((isAlive: boolean) => void)[]>();
  readonly #failed = new Map<string, number>();

  /**
   * @param ask asks a start for the number from which its messages are new. It rejects without the right answer
   * @param nowMs a clock that only grows
   */
  constructor(ask: (start: string) => Promise<number>, nowMs = () => performance.now()) {
    this.#ask = ask;
    this.#nowMs = nowMs;
  }

  /** Calls `decided` with whether a message of a start is of this life: at once for one that is known. */
  check(start: string, number: number, decided: (isFresh: boolean) => void): void {
    const nowMs = this.#nowMs();
    const floor = this.#floors.get(start);
    if (floor !== undefined && nowMs - floor.highestMs < SILENT_MS) {
      decided(isNew(floor, number, nowMs));
      return;
    }
    const then = (isAlive: boolean): void => {
      const known = this.#floors.get(start);
      decided(isAlive && known !== undefined && isNew(known, number, this.#nowMs()));
    };
    const waiting = this.#waiting.get(start);
    if (waiting !== undefined) {
      if (waiting.length < MOST_WAITING) waiting.push(then);
      else decided(false);
      return;
    }
    if (nowMs - (this.#failed.get(start) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) {
      decided(false);
      return;
    }
    this.#waiting.set(start, [then]);
    this.#ask(start).then(
      (floor) => this.#answered(start, floor),
      () => this.#answered(start, undefined),
    );
  }

  #answered(start: string, floor: number | undefined): void {
    const waiting = this.#waiting.get(start) ?? [];
    this.#waiting.delete(start);
    const nowMs = this.#nowMs();
    if (floor === undefined) {
      this.#floors.delete(start);
      bounded(this.#failed).set(start, nowMs);
    } else {
      this.#failed.delete(start);
      bounded(this.#floors).set(start, { floor, highest: floor, highestMs: nowMs, next: floor, nextMs: nowMs });
    }
    for (const decided of waiting) decided(floor !== undefined);
  }
}

/** Whether a number is above the floor, which follows the highest number some seconds behind. */
function isNew(known: Floor, number: number, nowMs: number): boolean {
  if (nowMs - known.nextMs >= LATE_MS) {
    known.floor = nowMs - known.highestMs >= LATE_MS ? known.highest : known.next;
    known.next = known.highest;
    known.nextMs = nowMs;
  }
  if (number > known.highest) {
    known.highest = number;
    known.highestMs = nowMs;
  }
  return number > known.floor;
}

/** Forgets the oldest start to make room. It has to answer again. */
function bounded<Value>(map: Map<string, Value>): Map<string, Value> {
  const [oldest] = map.keys();
  if (map.size >= MOST_STARTS && oldest !== undefined) map.delete(oldest);
  return map;
}
