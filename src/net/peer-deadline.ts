/** A timer that is later than this shows that the event loop was blocked. */
const BLOCKED_MS = 50;

/**
 * A limit of the time in which the other end of a connection must do something. What it has done may lie in its socket, unread:
 * after the event loop was blocked, Node runs timers before it reads sockets. So the time by which the timer is late is added
 * once, up to the limit itself, for an exchange of several messages. Then the loop gets one more turn to read.
 */
export class PeerDeadline {
  readonly #limitMs: number;
  readonly #dueMs: number;
  #timer: NodeJS.Timeout;
  #turn: NodeJS.Immediate | undefined;

  /** @param onLate called once, unless `cancel` is called before */
  constructor(limitMs: number, onLate: () => void) {
    const read = (): void => {
      this.#turn = setImmediate(onLate);
    };
    this.#limitMs = limitMs;
    this.#dueMs = performance.now() + limitMs;
    this.#timer = setTimeout(() => this.#prolong(read), limitMs);
  }

  /** Does not keep the process alive. */
  unref(): this {
    this.#timer.unref();
    return this;
  }

  cancel(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  #prolong(read: () => void): void {
    const blockedMs = performance.now() - this.#dueMs;
    if (blockedMs < BLOCKED_MS) {
      read();
      return;
    }
    const isKeeping = this.#timer.hasRef();
    this.#timer = setTimeout(read, Math.min(blockedMs, this.#limitMs));
    if (!isKeeping) this.#timer.unref();
  }
}
