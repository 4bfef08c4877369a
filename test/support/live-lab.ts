import type { LiveClock } from '../../src/control/live/live-clock.ts';
import type { LiveSink } from '../../src/control/live/live-reader.ts';
import { type Observed, ObservedTable } from '../../src/control/live/observed-table.ts';
import type { TableName } from '../../src/control/live/table-keys.ts';

/** A clock that a test drives. Looking at it takes time, so that long work is cut into slices. */
export class HandClock implements LiveClock {
  #nowMs = 1000;
  #turns = 0;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];
  /** Called in each turn of the event loop that the code under test waits for. */
  onTurn: () => void = () => undefined;

  now(): number {
    this.#nowMs += 0.01;
    return this.#nowMs;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  async turn(): Promise<void> {
    this.#turns++;
    await new Promise(setImmediate);
    this.#turns--;
    this.onTurn();
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get isIdle(): boolean {
    return this.#timers.length === 0;
  }

  /** Lets time pass, and all that is due be done. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let calls = 0; calls < MOST_CALLS; calls++) {
      await this.#settle();
      const [timer] = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (timer === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.call();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Lets promises and immediates that follow from each other run. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise(setImmediate);
      if (this.#turns > 0) quiet = 0;
    }
  }
}

/** Limit of the timers that run within one `pass`. */
const MOST_CALLS = 10_000;

/** The octets that each piece counts for at a reader that is slow. */
const SLOW_PIECE_BYTES = 300 * 1024;

/** A reader of one table: applies what it gets. While it is `isSlow`, pieces wait until `drain`. */
export class TableReader implements LiveSink {
  readonly table: ObservedTable;
  readonly pieces: Observed[] = [];
  isSlow = false;
  #waiting: (() => void)[] = [];

  constructor(name: TableName) {
    this.table = new ObservedTable(name);
  }

  get waitingBytes(): number {
    return this.#waiting.length * SLOW_PIECE_BYTES;
  }

  send(octets: Buffer, done: () => void): void {
    const { params } = JSON.parse(octets.toString('utf8')) as { params: Observed };
    this.pieces.push(params);
    this.table.apply(params);
    if (this.isSlow) this.#waiting.push(done);
    else setImmediate(done);
  }

  /** Takes what waits, or the oldest pieces of it. */
  drain(most = Number.POSITIVE_INFINITY): void {
    for (const done of this.#waiting.splice(0, most)) done();
  }
}
