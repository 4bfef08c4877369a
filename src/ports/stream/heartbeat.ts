/** A member of the heartbeat, with work once a second. */
export interface Periodic {
  /** @param nowMs the heartbeat's time, which stands still while the process is stopped */
  tick(nowMs: number): void;
}

/**
 * One timer for all tunnels of the process: 5000 idle tunnels cost one wake-up
 * per second. It runs only while it has members, and does not keep the process
 * alive.
 *
 * Its clock advances by at most two intervals per tick: after a process was stopped, or got no processor time, the
 * pause does not count as silence of its peers.
 */
export class Heartbeat {
  readonly #members = new Set<Periodic>();
  readonly #intervalMs: number;
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;
  #nowMs = 0;

  /** @param clock monotonic milliseconds */
  constructor(intervalMs = 1000, clock: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** The time of the last tick, in milliseconds: cheaper to read than the clock. */
  get nowMs(): number {
    return this.#nowMs;
  }

  add(member: Periodic): void {
    this.#members.add(member);
    if (this.#timer !== undefined) return;
    this.#lastMs = this.#clock();
    this.#timer = setInterval(() => this.tick(), this.#intervalMs).unref();
  }

  remove(member: Periodic): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Advances the clock and calls every member. Called by the timer and by tests. */
  tick(): void {
    const clockMs = this.#clock();
    this.#nowMs += Math.min(clockMs - this.#lastMs, 2 * this.#intervalMs);
    this.#lastMs = clockMs;
    for (const member of this.#members) member.tick(this.#nowMs);
  }
}

/** The heartbeat of this process. */
export const HEARTBEAT: Heartbeat = new Heartbeat();
