import { ADDRCONFIG, promises as dns } from 'node:dns';
import { type NativeAddon, nativeAddon } from '../../../native/addon.ts';

/** Looks one name up. Rejects with an error whose `code` is that of Node's dns.lookup. */
export type LookUp = (name: string) => Promise<readonly string[]>;

export interface NameLookupOptions {
  readonly lookUp: LookUp;
  /** The maximum number of concurrent look-ups that are not slow yet. */
  readonly places: number;
  /** How many more look-ups may run in all. Default 0. */
  readonly extraPlaces?: number;
  /** After this time a look-up counts as slow. */
  readonly slowMs?: number;
  /** Any monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** A working name server answers sooner; for one that does not answer, glibc waits 5 s for the first try alone. */
const SLOW_MS = 2000;
/** Each look-up has a thread, which mostly waits. */
const NATIVE_PLACES = 64;
const NATIVE_EXTRA_PLACES = 192;
/** The number of libuv's threads without UV_THREADPOOL_SIZE. */
const LIBUV_THREADS = 4;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A look-up that runs or waits. */
interface Job {
  readonly name: string;
  readonly promise: Promise<readonly string[]>;
  start: () => void;
  /** undefined until it runs */
  startedMs: number | undefined;
  waiters: number;
  isLate: boolean;
  /** fires when the look-up becomes slow */
  lateness: NodeJS.Timeout | undefined;
}

/**
 * Name look-ups with a bound on concurrency. A look-up cannot be aborted, and
 * lasts until the resolver's timeout. So that names without an answer do not
 * delay other names:
 *
 * - callers that ask for a name that is being looked up share the answer;
 * - names whose last look-up was slow may use only half of the places; the other
 *   half is for names that are not known as slow;
 * - a look-up that has become slow gives its place back, at most `extraPlaces`
 *   of them: all names that were never looked up may turn out slow.
 */
export class NameLookups {
  readonly #lookUp: LookUp;
  readonly #places: number;
  readonly #extraPlaces: number;
  readonly #slowMs: number;
  readonly #now: () => number;
  /** By name: the look-ups that run, and those that wait, in order. */
  readonly #running = new Map<string, Job>();
  readonly #waiting = new Map<string, Job>();
  /** Names whose last look-up was slow. */
  readonly #slow = new Set<string>();

  constructor({ lookUp, places, extraPlaces = 0, slowMs = SLOW_MS, now = () => performance.now() }: NameLookupOptions) {
    this.#lookUp = lookUp;
    this.#places = places;
    this.#extraPlaces = extraPlaces;
    this.#slowMs = slowMs;
    this.#now = now;
  }

  /**
   * The addresses of a name, in the order of attempts.
   * @throws the error of the look-up, or the reason of the signal
   */
  async addressesOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const job = this.#running.get(name) ?? this.#waiting.get(name) ?? this.#enqueue(name);
    job.waiters++;
    // The look-up does not keep the process alive; this timer does, as long as a caller waits.
    const waiting = setTimeout(() => undefined, LONGEST_TIMER_MS);
    let abort: () => void = () => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
    });
    try {
      return await Promise.race([job.promise, aborted]);
    } finally {
      clearTimeout(waiting);
      signal.removeEventListener('abort', abort);
      if (--job.waiters === 0 && job.startedMs === undefined) this.#waiting.delete(name);
    }
  }

  #enqueue(name: string): Job {
    let start: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => {
      start = resolve;
    });
    const promise = turn.then(() => this.#lookUp(name));
    // The callers may have been aborted.
    promise.catch(() => undefined);
    const job: Job = { name, promise, start, startedMs: undefined, waiters: 0, isLate: false, lateness: undefined };
    this.#waiting.set(name, job);
    this.#fill();
    return job;
  }

  /** Starts waiting look-ups while places are free. */
  #fill(): void {
    for (const [name, job] of this.#waiting) {
      if (this.#freePlaces() <= 0) return;
      if (this.#slow.has(name) && this.#slowOnes() >= Math.floor(this.#places / 2)) continue;
      this.#waiting.delete(name);
      this.#running.set(name, job);
      job.startedMs = this.#now();
      job.lateness = setTimeout(() => this.#becameLate(job), this.#slowMs).unref();
      job.start();
      void job.promise.catch(() => undefined).then(() => this.#ended(job));
    }
  }

  #ended(job: Job): void {
    clearTimeout(job.lateness);
    this.#running.delete(job.name);
    if (this.#isLate(job)) this.#slow.add(job.name);
    else this.#slow.delete(job.name);
    this.#fill();
  }

  #becameLate(job: Job): void {
    job.isLate = true;
    this.#fill();
  }

  #freePlaces(): number {
    let late = 0;
    for (const job of this.#running.values()) if (this.#isLate(job)) late++;
    return this.#places + Math.min(late, this.#extraPlaces) - this.#running.size;
  }

  #slowOnes(): number {
    let count = 0;
    for (const job of this.#running.values()) if (this.#slow.has(job.name) || this.#isLate(job)) count++;
    return count;
  }

  #isLate({ startedMs, isLate }: Job): boolean {
    // A timer counts whole milliseconds, and may fire a fraction of one early.
    return isLate || (startedMs !== undefined && this.#now() - startedMs >= this.#slowMs);
  }
}

/** Looks up in threads of the addon; by Node's getaddrinfo when no thread can be made. */
function byAddon(addon: NativeAddon): LookUp {
  return (name) =>
    new Promise((resolve, reject) => {
      try {
        addon.lookUpName(name, (code, addresses) => {
          if (code === '') resolve(addresses.split(' '));
          else reject(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code, hostname: name }));
        });
      } catch {
        byNode(name).then(resolve, reject);
      }
    });
}

const byNode: LookUp = async (name) => {
  const found = await dns.lookup(name, { all: true, hints: ADDRCONFIG });
  return found.map(({ address }) => address);
};

let shared: NameLookups | undefined;

/** The look-ups of the process. */
export function nameLookups(): NameLookups {
  shared ??= create();
  return shared;
}

function create(): NameLookups {
  try {
    return new NameLookups({ lookUp: byAddon(nativeAddon()), places: NATIVE_PLACES, extraPlaces: NATIVE_EXTRA_PLACES });
  } catch {
    // libuv runs look-ups in half of its threads, rounded up.
    const { UV_THREADPOOL_SIZE } = process.env;
    const threads = Number(UV_THREADPOOL_SIZE) || LIBUV_THREADS;
    return new NameLookups({ lookUp: byNode, places: Math.max(2, Math.ceil(threads / 2)) });
  }
}
