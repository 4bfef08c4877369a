import type { Caller } from '../control/caller-check.ts';
import type { LoginEntry, OneTimeLogins } from '../control/login-entries.ts';
import { hashOf, newSecret } from './secrets.ts';

const LIFETIME_SECONDS = 60;
/** Limit of unused codes; beyond it the oldest one expires. */
const MOST_CODES = 1024;
/** Limit of those of one user, so that its codes do not make those of others expire. */
const MOST_OF_A_USER = 8;

/** The codes of `createLogin`: each opens one session, once, within a minute. */
export class LoginCodes implements OneTimeLogins {
  readonly #place: () => Omit<LoginEntry, 'code' | 'expiresSeconds'>;
  readonly #now: () => number;
  /** by the hash of the code, the oldest first */
  readonly #codes = new Map<string, { readonly caller: Caller; readonly endsMs: number }>();

  /**
   * @param place where the console is, for the entries
   * @param now a monotonic clock in milliseconds, for tests
   */
  constructor(place: () => Omit<LoginEntry, 'code' | 'expiresSeconds'>, now: () => number = () => performance.now()) {
    this.#place = place;
    this.#now = now;
  }

  create(caller: Caller): LoginEntry {
    const code = newSecret();
    this.#makeRoom(caller.user);
    this.#codes.set(hashOf(code), { caller, endsMs: this.#now() + LIFETIME_SECONDS * 1000 });
    return { code, expiresSeconds: LIFETIME_SECONDS, ...this.#place() };
  }

  /**
   * Uses a code up.
   * @returns the caller that it was created for, if its credentials are still valid; undefined for a wrong, used or
   *   expired code
   */
  async redeem(code: string): Promise<Caller | undefined> {
    const key = hashOf(code);
    const found = this.#codes.get(key);
    this.#codes.delete(key);
    if (found === undefined || this.#now() >= found.endsMs) return undefined;
    const { caller } = found;
    if (caller.untilMs !== undefined && Date.now() > caller.untilMs) return undefined;
    return ((await caller.isStillValid?.()) ?? true) ? caller : undefined;
  }

  #makeRoom(user: string | null): void {
    const all = [...this.#codes];
    const own = all.filter(([, { caller }]) => caller.user === user);
    const [oldest] = own.length >= MOST_OF_A_USER ? own : all.length >= MOST_CODES ? all : [];
    if (oldest !== undefined) this.#codes.delete(oldest[0]);
  }
}
