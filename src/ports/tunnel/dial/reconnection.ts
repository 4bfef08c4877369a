/** Above it a ceiling in milliseconds does not fit setTimeout; a day is longer than any useful wait. */
export const MOST_WAIT_MS: number = 24 * 3600 * 1000;

/** The ceiling of all waits where nothing else is said. */
export const DEFAULT_MAX_WAIT_MS = 60_000;

/** A tunnel that stood for so long was a good one: the next loss starts with the shortest wait again. */
const STABLE_MS = 10_000;

/**
 * From one try to another that news of the network brings forward. Links and
 * addresses come up one after the other, so the first try may be too early.
 */
const LEAST_GAP_MS = 1000;
const MOST_GAP_MS = 8000;

/** A server that restarts is back within seconds: for so long no wait is longer than `RESTART_WAIT_MS`, in the mean half of it. */
const RESTART_MS = 10_000;
const RESTART_WAIT_MS = 400;
/** A server that claims to restart more often in a row, with no good tunnel in between, is treated as one that fails. */
const MOST_RESTARTS = 5;

export interface ReconnectionOptions {
  /** The ceiling of the first wait; it doubles with every failure. Default 1000. */
  minMs?: number;
  /** The ceiling of all waits. Default 60 000. */
  maxMs?: number;
  /** false: the first failure or loss is the end. Default true. */
  isEnabled?: boolean;
  /** From 0 up to, but not including, 1; default Math.random. */
  random?: () => number;
}

/** What a dialled tunnel does; names as in LinkState. */
export type ReconnectionState = 'connecting' | 'up' | 'backoff' | 'down';

/**
 * When to dial again: the state machine of a client port, sans-I/O. Its
 * caller says what happened and when, in milliseconds of any monotonic clock,
 * and dials when `nextTryMs` has come.
 *
 * - Waits are drawn from the whole range up to a ceiling that doubles from
 *   `minMs` to `maxMs` (exponential back-off with full jitter): a thousand
 *   clients that lost one server do not come back at one instant.
 * - A failure that trying again will hardly mend, such as a wrong password,
 *   waits for `maxMs`.
 * - A server that has said that it restarts (close code 1012) is dialled every few hundred milliseconds at first.
 * - A server that asks for a wait (`Retry-After`) is not dialled before, but
 *   `maxMs` is enough for any of them.
 * - When the host's network comes back the next try is at once. A host whose
 *   network changes all the time dials no more than once a second, and more
 *   seldom the longer nothing has helped.
 */
export class Reconnection {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #isEnabled: boolean;
  readonly #random: () => number;

  #state: ReconnectionState = 'connecting';
  #reason: string | undefined;
  #isLasting = false;
  /** Failures and short-lived tunnels in a row. */
  #failures = 0;
  #dialledMs = Number.NEGATIVE_INFINITY;
  #upMs = 0;
  #nextTryMs = Number.POSITIVE_INFINITY;
  /** Before it no news of the network brings the next try. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** When the server said that it restarts. */
  #restartMs = Number.NEGATIVE_INFINITY;
  #restarts = 0;
  /** When news of the network last made us forget the failures. */
  #forgivenMs = Number.NEGATIVE_INFINITY;
  /** The network changed while a try was under way, which may have begun too early. */
  #isHurried = false;

  /** @throws RangeError unless 0 < minMs <= maxMs <= MOST_WAIT_MS */
  constructor({
    minMs = 1000,
    maxMs = DEFAULT_MAX_WAIT_MS,
    isEnabled = true,
    random = Math.random,
  }: ReconnectionOptions = {}) {
    if (!(minMs > 0 && minMs <= maxMs && maxMs <= MOST_WAIT_MS)) {
      throw new RangeError(`waits from ${minMs} ms to ${maxMs} ms are not above 0 and growing up to a day`);
    }
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#isEnabled = isEnabled;
    this.#random = random;
  }

  get state(): ReconnectionState {
    return this.#state;
  }

  /** When to dial; infinite unless the state is `backoff`. */
  get nextTryMs(): number {
    return this.#nextTryMs;
  }

  /** A try begins. */
  dialling(nowMs: number): void {
    this.#state = 'connecting';
    this.#dialledMs = nowMs;
    this.#nextTryMs = Number.POSITIVE_INFINITY;
    this.#isHurried = false;
  }

  /** The tunnel stands. */
  connected(nowMs: number): void {
    this.#state = 'up';
    this.#upMs = nowMs;
    this.#reason = undefined;
  }

  /**
   * The try failed.
   * @param isLasting trying again will hardly mend it
   * @param requestedWaitMs for how long the server does not want to be asked again
   */
  failed(nowMs: number, reason: string, isLasting: boolean, requestedWaitMs: number | undefined = undefined): void {
    if (!this.#isRestarting(nowMs)) this.#failures++;
    // Clients that were told the same do not come back at one instant.
    if (requestedWaitMs !== undefined) {
      this.#notBeforeMs = nowMs + Math.min(this.#maxMs, requestedWaitMs + this.#random() * this.#minMs);
    }
    this.#rest(nowMs, reason, isLasting);
  }

  /** The tunnel that stood has gone. @param isRestarting the server said that it restarts */
  lost(nowMs: number, reason: string, isRestarting: boolean = false): void {
    const wasStable = nowMs - this.#upMs >= STABLE_MS;
    if (wasStable) this.#restarts = 0;
    this.#failures = wasStable ? 1 : this.#failures + 1;
    this.#restartMs = isRestarting && ++this.#restarts <= MOST_RESTARTS ? nowMs : Number.NEGATIVE_INFINITY;
    this.#rest(nowMs, reason, false);
  }

  /** The host's network came back, or changed: what failed before may work now. */
  networkChanged(nowMs: number): void {
    if (nowMs - this.#forgivenMs >= this.#maxMs) {
      this.#forgivenMs = nowMs;
      this.#failures = Math.min(this.#failures, 1);
    }
    if (this.#state === 'connecting') this.#isHurried = true;
    else if (this.#state === 'backoff' && !this.#isLasting) this.#hurry(nowMs);
  }

  /** Why the state is not `up`, as of now, in one line; undefined while it is. */
  describe(nowMs: number): string | undefined {
    switch (this.#state) {
      case 'up':
        return undefined;
      case 'connecting':
        return this.#reason === undefined ? 'dialling' : `trying again: ${this.#reason}`;
      case 'backoff': {
        const seconds = Math.max(0, Math.ceil((this.#nextTryMs - nowMs) / 1000));
        const sooner = this.#isLasting ? ', sooner will hardly help' : '';
        return `next try in ${seconds} s${sooner}: ${this.#reason}`;
      }
      case 'down':
        return this.#reason;
    }
  }

  #rest(nowMs: number, reason: string, isLasting: boolean): void {
    this.#reason = reason;
    if (!this.#isEnabled) {
      this.#state = 'down';
      return;
    }
    this.#state = 'backoff';
    this.#isLasting = isLasting;
    const ceilingMs = this.#isRestarting(nowMs) ? Math.min(RESTART_WAIT_MS, this.#maxMs) : this.#ceilingMs();
    const waitMs = isLasting ? this.#maxMs : this.#random() * ceilingMs;
    this.#nextTryMs = Math.max(this.#notBeforeMs, nowMs + waitMs);
    if (this.#isHurried && !isLasting) this.#hurry(nowMs);
    this.#isHurried = false;
  }

  #isRestarting(nowMs: number): boolean {
    return nowMs - this.#restartMs < RESTART_MS;
  }

  #ceilingMs(): number {
    return Math.min(this.#maxMs, this.#minMs * 2 ** Math.max(0, this.#failures - 1));
  }

  #hurry(nowMs: number): void {
    const gapMs = Math.min(MOST_GAP_MS, Math.max(Math.min(this.#minMs, LEAST_GAP_MS), this.#ceilingMs() / 8));
    this.#nextTryMs = Math.min(this.#nextTryMs, Math.max(nowMs, this.#notBeforeMs, this.#dialledMs + gapMs));
  }
}
