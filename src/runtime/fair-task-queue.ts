export interface TurnstileOptions {
  /** Runs before each piece of work. */
  readonly before?: () => void;
  /** for tests */
  readonly now?: () => number;
  /** for tests: runs `turn` in so many ms, and `settled` once all that it resolved has run */
  readonly schedule?: (turn: () => void, settled: () => void, ms: number) => void;
}

/** Behind a piece of work the thread belongs to others for so many times as long as that took. */
const REST_FACTOR = 3;
/**
 * Longer work than this asks for is the machine's doing: the thread was taken away in its midst. Without a bound strangers
 * would wait until their handshakes are out of time, and come again, for as long as the machine is busy.
 */
const LONGEST_REST_MS = 20;
/** Timers are no finer; what is owed below it waits for more. */
const SHORTEST_REST_MS = 1;

/**
 * Lets work through one piece a turn of the event loop, in its order, and takes a
 * quarter of the thread at most. What strangers can cause by the hundred at once then
 * never stands between two frames as a whole, and leaves the processor to those who wait for it.
 *
 * It has no bound: what waits here belongs to connections, and they have one.
 */
export class Turnstile {
  /** a set keeps the order, and gives its first away without moving the others */
  readonly #waiting = new Set<() => void>();
  readonly #before: () => void;
  readonly #now: () => number;
  readonly #schedule: (turn: () => void, settled: () => void, ms: number) => void;
  #isScheduled = false;
  #owedMs = 0;
  #startedMs = 0;
  #endedMs = 0;

  constructor(options: TurnstileOptions = {}) {
    this.#before = options.before ?? (() => undefined);
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = options.schedule ?? runLater;
  }

  /** @param work must not throw; it runs in one of the next turns, never at once */
  enter(work: () => void): void {
    this.#waiting.add(work);
    this.#scheduleTurn();
  }

  #turn(): void {
    for (const work of this.#waiting) {
      this.#waiting.delete(work);
      this.#before();
      this.#startedMs = this.#now();
      work();
      return;
    }
  }

  #settled(): void {
    const restedMs = this.#startedMs - this.#endedMs;
    this.#endedMs = this.#now();
    const owedMs = Math.max(0, this.#owedMs - restedMs) + REST_FACTOR * (this.#endedMs - this.#startedMs);
    this.#owedMs = Math.min(LONGEST_REST_MS, owedMs);
    this.#isScheduled = false;
    if (this.#waiting.size > 0) this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const leftMs = this.#owedMs - (this.#now() - this.#endedMs);
    this.#schedule(
      () => this.#turn(),
      () => this.#settled(),
      leftMs < SHORTEST_REST_MS ? 0 : leftMs,
    );
  }
}

/** What a callback of the check phase has resolved runs before the next callback of that phase. */
function runLater(turn: () => void, settled: () => void, ms: number): void {
  if (ms > 0) {
    setTimeout(() => runLater(turn, settled, 0), ms);
    return;
  }
  setImmediate(turn);
  setImmediate(settled);
}
