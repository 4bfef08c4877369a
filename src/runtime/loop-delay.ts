/**
 * Long enough for an idle process: at 100 ms V8 soon compiles the timer's function, and 4 MiB of its compiler stay in
 * memory. A pause is seen when a timer falls into it: one of 0.1 s in one of ten cases.
 */
const INTERVAL_MS = 1000;
/** The number of samples in a minute. */
const RECENT = 60;
const P99 = 0.99;

/** The upper bounds of the histogram's buckets, in milliseconds. */
const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/** The lateness of timers. */
export interface RecentDelay {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Measures how long the event loop delays ready work: a timer of 1 s notes its lateness. Unlike
 * `monitorEventLoopDelay` it keeps counts by bucket, which never decrease, so each reader can take its own differences.
 * The timer does not keep the process alive.
 */
export class LoopDelay {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #counts = new Float64Array(BOUNDS_MS.length);
  readonly #recent = new Float64Array(RECENT);
  #dueMs: number;
  #samples = 0;
  #sumMs = 0;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now(), intervalMs: number = INTERVAL_MS) {
    this.#now = now;
    this.#dueMs = now() + intervalMs;
    this.#timer = setInterval(() => {
      this.note(this.#now() - this.#dueMs);
      this.#dueMs = this.#now() + intervalMs;
    }, intervalMs).unref();
  }

  /** Adds a sample; called by the timer. A negative lateness counts as 0. */
  note(lateMs: number): void {
    const delayMs = Math.max(0, lateMs);
    const bucket = BOUNDS_MS.findIndex((bound) => delayMs <= bound);
    if (bucket >= 0) (this.#counts[bucket] as number)++;
    this.#recent[this.#samples % RECENT] = delayMs;
    this.#samples++;
    this.#sumMs += delayMs;
  }

  /** The number of samples since the start, and the sum of their delays. */
  get total(): { readonly samples: number; readonly sumMs: number } {
    return { samples: this.#samples, sumMs: this.#sumMs };
  }

  /** For each bound the number of samples up to it since the start, in ascending order. Samples above the last bound are only in `total`. */
  *buckets(): IterableIterator<{ readonly boundMs: number; readonly samples: number }> {
    let samples = 0;
    for (const [index, boundMs] of BOUNDS_MS.entries()) {
      samples += this.#counts[index] as number;
      yield { boundMs, samples };
    }
  }

  /** The delay within the last minute, or since the start; undefined before the first sample. */
  recent(): RecentDelay | undefined {
    const delays = this.#recent.slice(0, Math.min(RECENT, this.#samples)).sort();
    const { length } = delays;
    if (length === 0) return undefined;
    const meanMs = delays.reduce((sum, delay) => sum + delay, 0) / length;
    return { meanMs, p99Ms: delays[Math.ceil(length * P99) - 1] as number, maxMs: delays[length - 1] as number };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
