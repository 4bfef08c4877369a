/** Something that wants to be looked after now and then. */
export interface Beating {
  /** @param nowMs the heartbeat's time, which stands still while the process does */
  beat(nowMs: number): void;
}

/**
 * One timer for all tunnels of the process: five thousand idle ones cost one
 * wake-up a second. It runs only while it has members, and keeps no process
 * alive.
 *
 * Its clock counts at most two intervals a beat. So a process that was stopped,
 * or starved, does not take its own absence for the silence of its peers.
 */
export class Heartbeat {
  readonly #members = new Set<Beating>();
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

  /** The time of the last beat: what it costs nothing to ask for. */
  get nowMs(): number {
    return this.#nowMs;
  }

  add(member: Beating): void {
    this.#members.add(member);
    if (this.#timer !== undefined) return;
    this.#lastMs = this.#clock();
    this.#timer = setInterval(() => this.beat(), this.#intervalMs).unref();
  }

  remove(member: Beating): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Moves the clock on and looks after every member; the timer's work, and a test's. */
  beat(): void {
    const clockMs = this.#clock();
    this.#nowMs += Math.min(clockMs - this.#lastMs, 2 * this.#intervalMs);
    this.#lastMs = clockMs;
    for (const member of this.#members) member.beat(this.#nowMs);
  }
}

/** The heartbeat of this process. */
export const HEARTBEAT: Heartbeat = new Heartbeat();
