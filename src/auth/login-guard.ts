import { addressGroup } from '../net/address-group.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { FairTaskQueue } from '../runtime/fair-task-queue.ts';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';

export interface LoginGuardOptions {
  /** How many failures in a row an address has, before its passwords are not looked at any more; default 20. */
  readonly failuresPerAddress?: number;
  /** After how long one failure of an address is forgotten; default 3 s. */
  readonly forgetMs?: number;
  /** Addresses that are remembered; the one that failed longest ago goes first. Default 10 000. */
  readonly maxAddresses?: number;
  readonly counters?: EndpointCounters;
  /** The queue that sends delayed answers, a fair share of the loop each. Default: one of its own. */
  readonly tasks?: FairTaskQueue;
  /** for tests */
  readonly now?: () => number;
  /** for tests; as `Math.random` */
  readonly random?: () => number;
}

const FIRST_DELAY_MS = 300;
const LONGEST_DELAY_MS = 2000;
const THROTTLED: Verdict = { isAllowed: false, reason: 'throttled' };

interface Failures {
  count: number;
  lastMs: number;
}

/**
 * Makes guessing slow, by the address that it comes from: each further failure
 * is answered later than the one before, and beyond a bound passwords are not
 * looked at, until some failures are forgotten. Tokens and certificates always
 * are: they cannot be guessed, and cost little.
 *
 * A success forgives no failure, or a client with one password could try others without end.
 */
export class LoginGuard implements Authenticator {
  readonly challenge: string;
  readonly counters: EndpointCounters;
  readonly #inner: Authenticator;
  readonly #most: number;
  readonly #forgetMs: number;
  readonly #maxAddresses: number;
  readonly #now: () => number;
  readonly #random: () => number;
  /** by address group, in the order of the last failure */
  readonly #failures = new Map<string, Failures>();
  readonly #delays = new Set<() => void>();
  readonly #tasks: FairTaskQueue;

  /** @param inner is closed with the guard */
  constructor(inner: Authenticator, options: LoginGuardOptions = {}) {
    this.challenge = inner.challenge;
    this.counters = options.counters ?? new EndpointCounters();
    this.#inner = inner;
    this.#tasks = options.tasks ?? new FairTaskQueue();
    this.#most = options.failuresPerAddress ?? 20;
    this.#forgetMs = options.forgetMs ?? 3000;
    this.#maxAddresses = options.maxAddresses ?? 10_000;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
  }

  async authenticate(credentials: Credentials): Promise<Verdict> {
    const group = addressGroup(credentials.remoteAddress);
    if (isGuess(credentials) && this.#countOf(group) >= this.#most) {
      const hasCertificate = (credentials.clientChain ?? []).length > 0;
      const other = hasCertificate && (await this.#inner.authenticate({ ...credentials, authorization: undefined }));
      if (other !== false && other.isAllowed) return other;
      this.counters.throttledLogins++;
      return THROTTLED;
    }
    const verdict = await this.#inner.authenticate(credentials);
    if (verdict.isAllowed || verdict.reason !== 'wrong') return verdict;
    this.counters.failedLogins++;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#fail(group) - 1));
    // What failed together is not answered together, or it would come back together.
    await this.#delay(delayMs * (0.5 + this.#random()));
    return verdict;
  }

  async close(): Promise<void> {
    for (const end of this.#delays) end();
    await this.#inner.close();
  }

  /** How many failures of an address are not forgotten yet. */
  #countOf(group: string): number {
    const failures = this.#failures.get(group);
    if (failures === undefined) return 0;
    return Math.max(0, failures.count - Math.floor((this.#now() - failures.lastMs) / this.#forgetMs));
  }

  /** @returns how many there are with this one */
  #fail(group: string): number {
    const count = Math.min(this.#most, this.#countOf(group)) + 1;
    this.#failures.delete(group);
    this.#failures.set(group, { count, lastMs: this.#now() });
    if (this.#failures.size > this.#maxAddresses) {
      const oldest = this.#failures.keys().next();
      if (oldest.done !== true) this.#failures.delete(oldest.value);
    }
    return count;
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#delays.delete(end);
        this.#tasks.add(resolve);
      };
      const timer = setTimeout(end, ms);
      this.#delays.add(end);
    });
  }
}

function isGuess({ authorization }: Credentials): boolean {
  return /^basic\b/i.test(authorization ?? '');
}
