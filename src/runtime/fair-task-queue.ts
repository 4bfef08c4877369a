export interface FairTaskQueueOptions {
  /** Runs before each task. */
  readonly before?: () => void;
  /** for tests */
  readonly now?: () => number;
  /** for tests: runs `turn` after `ms`, and `settled` once the microtasks that it caused have run */
  readonly schedule?: (turn: () => void, settled: () => void, ms: number) => void;
}

/** After a task of t ms no other runs for 3·t ms, so that tasks take a quarter of the thread at most. */
const REST_FACTOR = 3;
/**
 * The longest rest. A task that seems to need more than a third of it was interrupted by a busy machine; without this bound
 * handshakes would wait until they time out and are dialled again, for as long as the machine is busy.
 */
const LONGEST_REST_MS = 20;
/** The resolution of timers. A shorter rest is added to the next one. */
const SHORTEST_REST_MS = 1;

/**
 * Runs tasks in order, one a turn of the event loop, and leaves three quarters of the thread to other work. Requests and
 * logins that peers can cause by the hundred in one turn go through it, so that frames pass between any two of them.
 *
 * It has no bound of its own: each task belongs to a connection, and connections are bounded.
 */
export class FairTaskQueue {
  /** A set keeps the order, and loses its first entry without moving the others. */
  readonly #waiting = new Set<() => void>();
  readonly #before: () => void;
  readonly #now: () => number;
  readonly #schedule: (turn: () => void, settled: () => void, ms: number) => void;
  #isScheduled = false;
  /** How long the thread is to be left alone from `#endedMs` on. */
  #restMs = 0;
  #startedMs = 0;
  #endedMs = 0;

  constructor(options: FairTaskQueueOptions = {}) {
    this.#before = options.before ?? (() => undefined);
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = options.schedule ?? runLater;
  }

  /** @param task must not throw; it runs in one of the next turns, never at once */
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
    this.#restMs = Math.min(LONGEST_REST_MS, restMs);
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
      leftMs < SHORTEST_REST_MS ? 0 : leftMs,
    );
  }
}

/** Node drains microtasks between two callbacks of the check phase: `settled` runs when those of `turn` are done. */
function runLater(turn: () => void, settled: () => void, ms: number): void {
  if (ms > 0) {
    setTimeout(() => runLater(turn, settled, 0), ms);
    return;
  }
  setImmediate(turn);
  setImmediate(settled);
}
