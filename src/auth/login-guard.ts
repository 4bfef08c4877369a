import { addressGroup } from '../net/address-group.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { FairTaskQueue } from '../runtime/fair-task-queue.ts';
import { type Authenticator, type Credentials, recheck, type Verdict } from './authenticator.ts';

export interface LoginGuardOptions {
  /** After so many failures, passwords from an address are refused without a check. Default 20. */
  readonly failuresPerAddress?: number;
  /** The failure count of an address decreases by one in this time. Default 3 s. */
  readonly forgetMs?: number;
  /** The most addresses with failures; the one that failed longest ago is dropped first. Default 10 000. */
  readonly maxAddresses?: number;
  readonly counters?: EndpointCounters;
  /** The queue in which delayed verdicts are returned, so that they do not delay frames. Default: one of its own. */
  readonly tasks?: FairTaskQueue;
  /** for tests */
  readonly now?: () => number;
  /** for tests; as `Math.random` */
  readonly random?: () => number;
}

const FIRST_DELAY_MS = 300;
const MAX_DELAY_MS = 2000;
const THROTTLED: Verdict = { isAllowed: false, reason: 'throttled' };

interface Failures {
  count: number;
  lastMs: number;
}

/**
 * Slows down guessing of passwords, per address: each further failure
 * is answered later than the one before. Beyond a limit passwords are refused
 * without a check, until the count has decreased. Tokens and certificates are always
 * checked: they cannot be guessed, and a check takes little time.
 *
 * A success does not reset the count, since a client with one valid password could then guess others without limit.
 */
export class LoginGuard implements Authenticator {
  readonly challenge: string;
  readonly counters: EndpointCounters;
  readonly #inner: Authenticator;
  readonly #maxFailures: number;
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
    this.#maxFailures = options.failuresPerAddress ?? 20;
    this.#forgetMs = options.forgetMs ?? 3000;
    this.#maxAddresses = options.maxAddresses ?? 10_000;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
  }

  async authenticate(credentials: Credentials): Promise<Verdict> {
    const group = addressGroup(credentials.remoteAddress);
    if (isGuess(credentials) && this.#countOf(group) >= this.#maxFailures) {
      const hasCertificate = (credentials.clientChain ?? []).length > 0;
      const other = hasCertificate && (await this.#inner.authenticate({ ...credentials, authorization: undefined }));
      if (other !== false && other.isAllowed) return other;
      this.counters.throttledLogins++;
      return THROTTLED;
    }
    const verdict = await this.#inner.authenticate(credentials);
    if (verdict.isAllowed || verdict.reason !== 'wrong') return verdict;
    this.counters.failedLogins++;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#fail(group) - 1));
    // Randomized, so that clients that failed at the same time do not retry at the same time.
    await this.#delay(delayMs * (0.5 + this.#random()));
    return verdict;
  }

  /** Also while passwords of the address are refused: else failures would keep a session whose user was deleted. */
  recheck(credentials: Credentials): Promise<Verdict> {
    return recheck(this.#inner, credentials);
  }

  async close(): Promise<void> {
    for (const end of this.#delays) end();
    await this.#inner.close();
  }

  /** The failure count of an address, decreased by the time since the last failure. */
  #countOf(group: string): number {
    const failures = this.#failures.get(group);
    if (failures === undefined) return 0;
    return Math.max(0, failures.count - Math.floor((this.#now() - failures.lastMs) / this.#forgetMs));
  }

  /** Counts a failure. @returns the count with this one */
  #fail(group: string): number {
    const count = Math.min(this.#maxFailures, this.#countOf(group)) + 1;
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
