import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The value of an attempt, and the share of processor time (0 to 1) that the machine's host took during it ("steal"). */
export interface Attempt<Value> {
  readonly value: Value;
  readonly stolen: number;
}

/** Ticks of all processors since the start of the system: those that the host took, and all of them. */
export interface ProcessorTicks {
  readonly stolen: number;
  readonly total: number;
}

/** Above this share an attempt is repeated. */
export const TOLERATED_STOLEN = 0.02;
/** Above this share a value is not used. */
export const WORTHLESS_STOLEN = 0.1;
/** The pause doubles after each attempt, since disturbances last from seconds to minutes. */
const FIRST_PAUSE_MS = 2_000;
const MOST_ATTEMPTS = 6;
/** `user nice system idle iowait irq softirq steal` (proc(5)); the two fields after them are included in the first two. */
const COUNTED_FIELDS = 8;
const STEAL_FIELD = 7;

/** Repeats measurements that the host of a virtual machine has disturbed, with pauses, until its time is used up. */
export class Patience {
  readonly #readTicks: () => ProcessorTicks;
  readonly #pause: (ms: number) => Promise<unknown>;
  #leftMs: number;

  /** @param leftMs the time for all pauses and repeated attempts together */
  constructor(
    leftMs: number,
    readTicks: () => ProcessorTicks = processorTicks,
    pause: (ms: number) => Promise<unknown> = delay,
  ) {
    this.#leftMs = leftMs;
    this.#readTicks = readTicks;
    this.#pause = pause;
  }

  /** @returns the attempt from which the host took the least; the choice does not depend on the values */
  async measure<Value>(measure: () => Promise<Value>, onRetry: (stolen: number) => void): Promise<Attempt<Value>> {
    let best = await this.measureOnce(measure);
    for (let retry = 0; best.stolen > TOLERATED_STOLEN && retry + 1 < MOST_ATTEMPTS; retry++) {
      const pauseMs = FIRST_PAUSE_MS * 2 ** retry;
      if (pauseMs > this.#leftMs) break;
      onRetry(best.stolen);
      const startedMs = performance.now();
      await this.#pause(pauseMs);
      const next = await this.measureOnce(measure);
      this.#leftMs -= Math.max(pauseMs, performance.now() - startedMs);
      if (next.stolen < best.stolen) best = next;
    }
    return best;
  }

  /** Measures without repeating. */
  async measureOnce<Value>(measure: () => Promise<Value>): Promise<Attempt<Value>> {
    const before = this.#readTicks();
    const value = await measure();
    const after = this.#readTicks();
    return { value, stolen: (after.stolen - before.stolen) / Math.max(1, after.total - before.total) };
  }
}

function processorTicks(): ProcessorTicks {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const ticks = line
    .trim()
    .split(/\s+/)
    .slice(1, 1 + COUNTED_FIELDS)
    .map(Number);
  return { stolen: ticks[STEAL_FIELD] ?? 0, total: ticks.reduce((sum, count) => sum + count, 0) };
}
