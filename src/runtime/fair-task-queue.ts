export interface FairTaskQueueOptions {
  /** Runs before each task. */
  readonly before?: () => void;
  /** for tests */
  readonly now?: () => number;
  /** for tests: runs `turn` after `ms`, and `settled` after the microtasks of `turn` */
  readonly schedule?: (turn: () => void, settled: () => void, ms: number) => void;
}

/** After a task of t ms no task runs for 3·t ms, so tasks take at most a quarter of the thread's time. */
const REST_FACTOR = 3;
/**
 * The longest rest. A task that took longer than a third of it was probably preempted. Without this limit, handshakes on a
 * busy machine would wait until they time out, and would be repeated.
 */
const MAX_REST_MS = 20;
/** The resolution of timers. A shorter rest is added to the next one. */
const MIN_REST_MS = 1;

/**
 * Runs tasks in order, one in a turn of the event loop, and leaves three quarters of the thread's time to other work.
 * Clients can cause hundreds of requests and logins in one turn. As tasks of this queue they do not delay frames.
 *
 * The queue is not bounded: each task belongs to a connection, and the number of connections is bounded.
 */
export class FairTaskQueue {
  /** In order. A Set removes its first element in constant time. */
  readonly #waiting = new Set<() => void>();
  readonly #before: () => void;
  readonly #now: () => number;
  readonly #schedule: (turn: () => void, settled: () => void, ms: number) => void;
  #isScheduled = false;
  /** No task runs for so long after `#endedMs`. */
  #restMs = 0;
  #startedMs = 0;
  #endedMs = 0;

  constructor(options: FairTaskQueueOptions = {}) {
    this.#before = options.before ?? (() => undefined);
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = options.schedule ?? runLater;
  }

  /** @param task must not throw; it runs in a later turn, never at once */
  add(task: () => void): void {
    this.#waiting.add(task);
    this.#scheduleTurn();
  }

  #turn(): void {
    for (const task of this.#waiting) {
      this.#waiting.delete(task);
      this.#before();
      this.#startedMs = this.#now();
      task();
      return;
    }
  }

  #settled(): void {
    const restedMs = this.#startedMs - this.#endedMs;
    this.#endedMs = this.#now();
    const restMs = Math.max(0, this.#restMs - restedMs) + REST_FACTOR * (this.#endedMs - this.#startedMs);
    this.#restMs = Math.min(MAX_REST_MS, restMs);
    this.#isScheduled = false;
    if (this.#waiting.size > 0) this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const leftMs = this.#restMs - (this.#now() - this.#endedMs);
    this.#schedule(
      () => this.#turn(),
      () => this.#settled(),
      leftMs < MIN_REST_MS ? 0 : leftMs,
    );
  }
}

/** Node runs all microtasks between two callbacks of setImmediate, so `settled` runs after those of `turn`. */
function runLater(turn: () => void, settled: () => void, ms: number): void {
  if (ms > 0) {
    setTimeout(() => runLater(turn, settled, 0), ms);
    return;
  }
  setImmediate(turn);
  setImmediate(settled);
}
