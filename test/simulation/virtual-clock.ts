import { EventQueue } from '../support/event-queue.ts';
import { Random } from '../support/random.ts';

/** A timer of the virtual clock. It has what callers use of a timer of Node. */
class VirtualTimer {
  isActive = true;
  unref(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  hasRef(): boolean {
    return false;
  }
}

/** A run has about 10 000. A loop of frames never ends. */
const MOST_EVENTS = 100_000;

type Action = (...args: unknown[]) => void;

/** Resolves when all microtasks and all callbacks of `process.nextTick` have run. `setImmediate` stays that of Node. */
const settled = (): Promise<void> => new Promise<void>(setImmediate);

/**
 * One clock for a whole program: while it is installed, `setTimeout`, `setInterval`, `performance.now`, `Date.now` and
 * `Math.random` of the process are its own. So unchanged code of the product runs on it, from the tunnels' heartbeat to the
 * timers of networks, and a seed repeats a run.
 */
export class VirtualClock {
  readonly #queue = new EventQueue();
  readonly #timers = new Set<VirtualTimer>();
  readonly #random: Random;
  readonly #restore: (() => void)[] = [];
  #nowMs = 1_000_000;
  #events = 0;

  /** @param seed of `Math.random` */
  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The number of timers that wait, intervals included. */
  get timers(): number {
    return this.#timers.size;
  }

  install(): void {
    const clear = (timer: unknown) => this.#clear(timer);
    this.#replace(globalThis, 'setTimeout', (action: Action, ms = 0, ...args: unknown[]) =>
      this.#timeout(action, ms, args),
    );
    this.#replace(globalThis, 'setInterval', (action: Action, ms = 0, ...args: unknown[]) =>
      this.#interval(action, ms, args),
    );
    this.#replace(globalThis, 'clearTimeout', clear);
    this.#replace(globalThis, 'clearInterval', clear);
    this.#replace(performance, 'now', () => this.#nowMs);
    this.#replace(Date, 'now', () => Math.floor(this.#nowMs));
    this.#replace(Math, 'random', () => this.#random.next() / 0x1_0000_0000);
  }

  uninstall(): void {
    for (const restore of this.#restore.splice(0).reverse()) restore();
  }

  get events(): number {
    return this.#events;
  }

  /** Calls `action` at a time from now on; it is no timer of the product. */
  after(ms: number, action: () => void): void {
    this.#queue.add(this.#nowMs + Math.max(0, ms), action);
  }

  /** Lets time pass. Promises settle behind each event, before time goes on. @throws Error when the events do not end */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    for (let next = this.#queue.takeUntil(endMs); next !== undefined; next = this.#queue.takeUntil(endMs)) {
      this.#nowMs = next.atMs;
      if (++this.#events > MOST_EVENTS) throw new Error('the events do not end: frames go round');
      next.action();
      await settled();
    }
    this.#nowMs = endMs;
  }

  /** Waits for what needs no time. */
  async settle(): Promise<void> {
    await this.run(0);
  }

  #timeout(action: Action, ms: number, args: unknown[]): VirtualTimer {
    const timer = new VirtualTimer();
    this.#timers.add(timer);
    this.after(Number.isFinite(ms) ? ms : 1, () => {
      if (!timer.isActive) return;
      this.#clear(timer);
      action(...args);
    });
    return timer;
  }

  #interval(action: Action, ms: number, args: unknown[]): VirtualTimer {
    const timer = new VirtualTimer();
    this.#timers.add(timer);
    const beat = (): void => {
      if (!timer.isActive) return;
      this.after(ms, beat);
      action(...args);
    };
    this.after(ms, beat);
    return timer;
  }

  #clear(timer: unknown): void {
    if (!(timer instanceof VirtualTimer)) return;
    timer.isActive = false;
    this.#timers.delete(timer);
  }

  #replace<T extends object>(owner: T, name: keyof T & string, value: unknown): void {
    const own = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    this.#restore.push(() => {
      if (own === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, own);
    });
  }
}
