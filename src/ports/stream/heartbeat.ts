/** Something that has work to do once a second. */
export interface Periodic {
  /** @param nowMs the heartbeat's time, which stands still while the process is stopped */
  tick(nowMs: number): void;
}

/**
 * One timer for all tunnels of the process: five thousand idle ones cost one
 * wake-up a second. It runs only while it has members, and keeps no process
 * alive.
 *
 * Its clock advances by two intervals a tick at most: a process that was stopped, or starved of processor time, does
 * not take its own pause for the silence of its peers.
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

  /** Advances the clock and calls every member. The timer calls it, and so do tests. */
  tick(): void {
    const clockMs = this.#clock();
    this.#nowMs += Math.min(clockMs - this.#lastMs, 2 * this.#intervalMs);
    this.#lastMs = clockMs;
    for (const member of this.#members) member.tick(this.#nowMs);
  }
}

/** The heartbeat of this process. */
export const HEARTBEAT: Heartbeat = new Heartbeat();
