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

/** Above this share an attempt says more of the machine's neighbours than of what is measured. */
export const TOLERATED_STOLEN = 0.02;
/** Neighbours come in bursts of seconds. */
const PAUSE_MS = 2_000;
/** `user nice system idle iowait irq softirq steal` (proc(5)); the two behind them are in the first two already. */
const COUNTED_FIELDS = 8;
const STEAL_FIELD = 7;

/**
 * Measures, and again up to `retries` times while the host of a virtual machine took more than TOLERATED_STOLEN of its
 * processors. What counts is the attempt from which it took the least: which one that is does not depend on its values.
 */
export async function measureQuietly<Value>(
  measure: () => Promise<Value>,
  retries: number,
  onRetry: (stolen: number) => void,
  readTicks: () => ProcessorTicks = processorTicks,
  pauseMs: number = PAUSE_MS,
): Promise<Attempt<Value>> {
  let best: Attempt<Value> | undefined;
  for (let retry = 0; ; retry++) {
    const before = readTicks();
    const value = await measure();
    const after = readTicks();
    const stolen = (after.stolen - before.stolen) / Math.max(1, after.total - before.total);
    if (best === undefined || stolen < best.stolen) best = { value, stolen };
    if (stolen <= TOLERATED_STOLEN || retry === retries) return best;
    onRetry(stolen);
    await delay(pauseMs);
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
