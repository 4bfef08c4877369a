/** One day: longer than any useful wait, and below the limit of setTimeout, 2^31 - 1 ms. */
export const MOST_WAIT_MS: number = 24 * 3600 * 1000;

/** Default of `maxMs`. */
export const DEFAULT_MAX_WAIT_MS = 60_000;

/** After a tunnel that was up for so long, the next loss begins with the shortest wait again. */
const STABLE_MS = 10_000;

/**
 * Bounds of the time from one attempt to the next that a change of the network
 * brings forward. Links and addresses come up one after the other, so the first
 * attempt may be too early.
 */
const LEAST_GAP_MS = 1000;
const MOST_GAP_MS = 8000;

/** A server that restarts is back within seconds: for `RESTART_MS`, waits have a ceiling of `RESTART_WAIT_MS`. */
const RESTART_MS = 10_000;
const RESTART_WAIT_MS = 400;
/** After more restarts without a stable tunnel (`STABLE_MS`) in between, a restart counts as a failure. */
const MOST_RESTARTS = 5;

export interface ReconnectionOptions {
  /** The ceiling of the first wait; it doubles with every failure. Default 1000. */
  minMs?: number;
  /** The ceiling of all waits. Default 60 000. */
  maxMs?: number;
  /** false: the first failure or loss is the end. Default true. */
  isEnabled?: boolean;
  /** In [0, 1); default Math.random. */
  random?: () => number;
}

/** The state of a client port; names as in LinkState. */
export type ReconnectionState = 'connecting' | 'up' | 'backoff' | 'down';

/**
 * Decides when to dial again: the state machine of a client port, sans-I/O. Its
 * caller says what happened and when, in milliseconds of any monotonic clock,
 * and dials when `nextTryMs` has come.
 *
 * - Waits are drawn from the whole range up to a ceiling that doubles from
 *   `minMs` to `maxMs` (exponential back-off with full jitter), so that a
 *   thousand clients that lost one server do not return at one instant.
 * - After a failure that dialling again will hardly mend, such as a wrong
 *   password, the wait is `maxMs`.
 * - After close code 1012 (service restart) waits are at most 400 ms for 10 s.
 * - A wait that the server asks for (`Retry-After`) is kept, up to `maxMs`; one that the caller sets is kept as it is.
 * - When the host's network comes back the next attempt is at once. A host whose
 *   network changes all the time dials at most once a second, and less often
 *   after several failures, down to once in 8 s.
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
  /** From `Retry-After`: a change of the network brings no attempt forward beyond it. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** When the server announced a restart. */
  #restartMs = Number.NEGATIVE_INFINITY;
  #restarts = 0;
  /** When a change of the network last reset `#failures`. */
  #forgivenMs = Number.NEGATIVE_INFINITY;
  /** The network changed during an attempt, so that the attempt may have begun too early. */
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

  /** An attempt begins. */
  dialling(nowMs: number): void {
    this.#state = 'connecting';
    this.#dialledMs = nowMs;
    this.#nextTryMs = Number.POSITIVE_INFINITY;
    this.#isHurried = false;
  }

  /** The tunnel is up. */
  connected(nowMs: number): void {
    this.#state = 'up';
    this.#upMs = nowMs;
    this.#reason = undefined;
  }

  /**
   * The attempt failed.
   * @param isLasting dialling again will hardly help
   * @param requestedWaitMs the wait that the server asked for
   * @param leastWaitMs the next attempt is not before this, whatever `maxMs` is
   */
  failed(
    nowMs: number,
    reason: string,
    isLasting: boolean,
    requestedWaitMs: number | undefined = undefined,
    leastWaitMs: number | undefined = undefined,
  ): void {
    if (!this.#isRestarting(nowMs)) this.#failures++;
    // Jitter, so that clients with the same `Retry-After` do not return at one instant.
    if (requestedWaitMs !== undefined) {
      this.#notBeforeMs = nowMs + Math.min(this.#maxMs, requestedWaitMs + this.#random() * this.#minMs);
    }
    if (leastWaitMs !== undefined) this.#notBeforeMs = nowMs + leastWaitMs + this.#random() * this.#minMs;
    this.#rest(nowMs, reason, isLasting);
  }

  /** The tunnel was lost. @param isRestarting the server announced a restart (close code 1012) */
  lost(nowMs: number, reason: string, isRestarting: boolean = false): void {
    const wasStable = nowMs - this.#upMs >= STABLE_MS;
    if (wasStable) this.#restarts = 0;
    this.#failures = wasStable ? 1 : this.#failures + 1;
    this.#restartMs = isRestarting && ++this.#restarts <= MOST_RESTARTS ? nowMs : Number.NEGATIVE_INFINITY;
    this.#rest(nowMs, reason, false);
  }

  /** The host's network came back, or changed: an attempt may succeed now. */
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
