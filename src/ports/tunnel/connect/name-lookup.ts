import { ADDRCONFIG, promises as dns } from 'node:dns';
import { type NativeAddon, nativeAddon } from '../../../native/addon.ts';

/** Looks one name up. Rejects with an error whose `code` is that of Node's dns.lookup. */
export type LookUp = (name: string) => Promise<readonly string[]>;

export interface NameLookupOptions {
  readonly lookUp: LookUp;
  /** How many look-ups may be under way at a time, of those that are not slow yet. */
  readonly places: number;
  /** How many more there may be in all. Default 0. */
  readonly extraPlaces?: number;
  /** From here on a look-up counts as slow. */
  readonly slowMs?: number;
  /** Any monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** A name server that works answers sooner; one that does not takes glibc 5 s for the first try alone. */
const SLOW_MS = 2000;
/** Each has a thread that mostly waits. */
const NATIVE_PLACES = 64;
const NATIVE_EXTRA_PLACES = 192;
/** The threads that libuv has when UV_THREADPOOL_SIZE does not say it. */
const LIBUV_THREADS = 4;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A name that is being looked up, or waits for its turn. */
interface Job {
  readonly name: string;
  readonly promise: Promise<readonly string[]>;
  start: () => void;
  /** undefined until it has a place */
  startedMs: number | undefined;
  waiters: number;
  isLate: boolean;
  /** tells when it becomes late */
  lateness: NodeJS.Timeout | undefined;
}

/**
 * Look-ups of names, of which so many may be under way at a time. A look-up
 * cannot be ended, and lasts as long as name servers are waited for; so that
 * names which get no answer do not keep other names waiting:
 *
 * - callers that ask for a name that is being looked up share the answer;
 * - a name whose last look-up was slow gets one of half the places only, as
 *   long as that lasts: the other half is for names that are not known as slow;
 * - a look-up that has become slow gives its place back, as far as the extra
 *   places go: names that nothing is known of may all be dead.
 */
export class NameLookups {
  readonly #lookUp: LookUp;
  readonly #places: number;
  readonly #extraPlaces: number;
  readonly #slowMs: number;
  readonly #now: () => number;
  /** By name; those that run, and those that wait, in order. */
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
   * The addresses of a name, in the order in which they are to be tried.
   * @throws what the look-up failed with, or the reason of the signal
   */
  async addressesOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const job = this.#running.get(name) ?? this.#waiting.get(name) ?? this.#enqueue(name);
    job.waiters++;
    // The look-up itself does not keep the process alive, which may end while no caller waits for it.
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
    // Its caller may have given up.
    promise.catch(() => undefined);
    const job: Job = { name, promise, start, startedMs: undefined, waiters: 0, isLate: false, lateness: undefined };
    this.#waiting.set(name, job);
    this.#fill();
    return job;
  }

  /** Gives free places to the look-ups that wait. */
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
    // The timer counts whole milliseconds, and may be a little early by the clock.
    return isLate || (startedMs !== undefined && this.#now() - startedMs >= this.#slowMs);
  }
}

/** By the addon's own threads; getaddrinfo of Node where there is no addon, or no more threads. */
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
