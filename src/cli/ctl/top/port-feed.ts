import { ControlError } from '../../../control/control-answer.ts';
import type { PortEntry } from '../../../control/entries.ts';
import { MOST_RATE_PORTS } from '../../../control/rate-entries.ts';
import type { ControlCaller } from '../../terminal.ts';
import { type PortRate, RateMeter } from './rates.ts';

/** Limits of the interval of `observe`. */
const LEAST_INTERVAL_S = 1;
const MOST_INTERVAL_S = 60;

/**
 * The ports of a switch with their rates, again and again. It observes them: the rates are those within the last second
 * which the switch measures, and which its console shows as well. A switch that refuses that, such as one of an earlier
 * version, is asked for all its ports each time.
 */
export class PortFeed {
  readonly #client: ControlCaller;
  readonly #interval: number;
  readonly #changed: () => void;
  #meter = new RateMeter('own');
  /** Ends the observation. */
  #end: (() => void) | undefined;
  #isRefused = false;
  #hasObserved = false;
  #entries: readonly PortEntry[] = [];
  #isNew = false;
  /** The ports in the order of their numbers, as they were last. */
  ports: readonly PortRate[] = [];

  /** @param changed called when `ports` are others without a call of `take` */
  constructor(client: ControlCaller, intervalMs: number, changed: () => void) {
    this.#client = client;
    this.#interval = Math.min(MOST_INTERVAL_S, Math.max(LEAST_INTERVAL_S, Math.round(intervalMs / 1000)));
    this.#changed = changed;
  }

  /** To be called once an interval: brings `ports` up to date. @throws what a call of `listPort` throws */
  async take(): Promise<void> {
    if (this.#end === undefined && !this.#isRefused) {
      await this.#observe();
      await this.#begin();
      this.#isNew = true;
    }
    if (this.#isRefused) {
      const { entries } = await this.#client.call('listPort', {});
      this.ports = this.#meter.add(entries, performance.now());
      return;
    }
    // Without a change within the interval nothing came.
    if (!this.#isNew) this.#sample();
    this.#isNew = false;
  }

  close(): void {
    this.#end?.();
  }

  /** Resolves with the first snapshot. */
  async #observe(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const onChange = (entries: Iterable<object>): void => {
          this.#entries = ([...entries] as PortEntry[]).sort((one, other) => one.port - other.port);
          this.#sample();
          this.#isNew = true;
          this.#hasObserved = true;
          this.#changed();
          resolve();
        };
        const onEnd = (error: Error): void => {
          this.#end = undefined;
          reject(error);
        };
        this.#client.observe({ table: 'ports', interval: this.#interval }, onChange, onEnd).then((end) => {
          this.#end = end;
        }, reject);
      });
    } catch (error) {
      // A switch that was observed before has stopped, or restarts.
      if (this.#hasObserved) throw error;
      this.#isRefused = true;
      this.#meter = new RateMeter('counters');
    }
  }

  /** Begins the past of the busiest ports with what the switch has kept. An earlier version has kept nothing. */
  async #begin(): Promise<void> {
    if (this.#isRefused) return;
    const busiest = [...this.#entries].sort((one, other) => bitsOf(other) - bitsOf(one)).slice(0, MOST_RATE_PORTS);
    try {
      const { entries } = await this.#client.call('listRate', { ports: busiest.map(({ port }) => port) });
      const pasts = entries.map(({ port, rxBitRates, txBitRates }) => {
        const sums = rxBitRates.map((rate, index) => rate + (txBitRates[index] ?? 0));
        return [port, meansOf(sums, this.#interval)] as const;
      });
      this.ports = this.#meter.begin(this.ports, new Map(pasts));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
    }
  }

  #sample(): void {
    this.ports = this.#meter.add(this.#entries, performance.now());
  }
}

function bitsOf({ rxBitRate, txBitRate }: PortEntry): number {
  return rxBitRate + txBitRate;
}

/** The means of each `length` samples, the last ones in full. */
function meansOf(samples: readonly number[], length: number): number[] {
  const means: number[] = [];
  for (let end = samples.length; end >= length; end -= length) {
    const part = samples.slice(end - length, end);
    means.unshift(part.reduce((sum, sample) => sum + sample, 0) / length);
  }
  return means;
}
