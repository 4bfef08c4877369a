import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What one attempt gave, and which share of the processors' time (0 to 1) the machine's host kept meanwhile. */
export interface Attempt<Value> {
  readonly value: Value;
  readonly stolen: number;
}

/** Ticks of all processors since the start of the system: those that the host gave to others, and all of them. */
export interface ProcessorTicks {
  readonly stolen: number;
  readonly total: number;
}

/** Above this share an attempt is worth repeating. */
export const TOLERATED_STOLEN = 0.02;
/** Above this one it says more of the machine's neighbours than of what was measured. */
export const WORTHLESS_STOLEN = 0.1;
/** Neighbours come in bursts of seconds to minutes: the pause doubles from one attempt to the next. */
const FIRST_PAUSE_MS = 2_000;
const MOST_ATTEMPTS = 6;
/** `user nice system idle iowait irq softirq steal` (proc(5)); the two behind them are in the first two already. */
const COUNTED_FIELDS = 8;
const STEAL_FIELD = 7;

/** Measures again what the host of a virtual machine has disturbed, and waits in between, as long as it is given time. */
export class Patience {
  readonly #readTicks: () => ProcessorTicks;
  readonly #pause: (ms: number) => Promise<unknown>;
  #leftMs: number;

  /** `leftMs`: for all pauses and repeated attempts together. */
  constructor(
    leftMs: number,
    readTicks: () => ProcessorTicks = processorTicks,
    pause: (ms: number) => Promise<unknown> = delay,
  ) {
    this.#leftMs = leftMs;
    this.#readTicks = readTicks;
    this.#pause = pause;
  }

  /** The attempt from which the host took the least; which one that is does not depend on its values. */
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

  /** For what cannot be seen twice. */
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
