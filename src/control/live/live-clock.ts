/** Time and turns of the event loop, which tests replace. */
export interface LiveClock {
  /** monotonic milliseconds */
  now(): number;
  /** milliseconds since 1970 */
  wall(): number;
  /** Resolves in a later turn of the event loop, after ready descriptors were served. */
  turn(): Promise<void>;
  /** Calls once. @returns the function that cancels it */
  after(ms: number, call: () => void): () => void;
}

export const LIVE_CLOCK: LiveClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Limit of the time in one turn of the event loop. */
const SLICE_MS = 0.5;
/** The clock is read once in so many steps, which take a fraction of `SLICE_MS`. */
const STEPS_PER_LOOK = 16;

/**
 * Cuts long work into slices of about 0.5 ms, each in its own turn of the event loop, so that frames do not wait for
 * tables. All tables of a switch share one: two never work in the same turn.
 */
export class Slices {
  readonly #clock: LiveClock;
  #steps = 0;
  #untilMs = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(clock: LiveClock) {
    this.#clock = clock;
  }

  /** To be asked after each small step. @returns whether `pause` is to be awaited before the next one */
  get isOver(): boolean {
    return ++this.#steps % STEPS_PER_LOOK === 0 && this.#clock.now() >= this.#untilMs;
  }

  /** Waits for a turn of the event loop in which no other work of this object is done. */
  async pause(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#clock.turn());
    await this.#turn;
    this.#untilMs = this.#clock.now() + SLICE_MS;
  }
}
