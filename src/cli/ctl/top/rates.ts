import type { PortEntry } from '../../../control/entries.ts';

/** The number of past rates of a port in its sparkline. */
export const HISTORY = 20;

/** A port with its rates between the last two snapshots. */
export interface PortRate {
  readonly entry: PortEntry;
  /** bits and frames a second */
  readonly rxBits: number;
  readonly txBits: number;
  readonly rxFrames: number;
  readonly txFrames: number;
  /** discarded frames a second, both directions */
  readonly discards: number;
  /** the sums of both directions in bits a second, the oldest first */
  readonly history: readonly number[];
}

interface Snapshot {
  readonly entry: PortEntry;
  readonly atMs: number;
  readonly history: readonly number[];
}

/** Computes rates from the ports' counters in successive snapshots. */
export class RateMeter {
  #last = new Map<number, Snapshot>();

  /**
   * @param atMs the time of the snapshot, by any monotonic clock
   * @returns the ports in the order of the snapshot. A port that was not in the one before has rates of 0
   */
  add(entries: readonly PortEntry[], atMs: number): PortRate[] {
    const before = this.#last;
    this.#last = new Map();
    return entries.map((entry) => {
      const rate = rateOf(entry, before.get(entry.port), atMs);
      this.#last.set(entry.port, { entry, atMs, history: rate.history });
      return rate;
    });
  }
}

function rateOf(entry: PortEntry, last: Snapshot | undefined, atMs: number): PortRate {
  const seconds = last === undefined ? 0 : (atMs - last.atMs) / 1000;
  // A counter is smaller than before only if the switch was restarted.
  const perSecond = (now: number, before: number): number => (seconds > 0 ? Math.max(0, now - before) / seconds : 0);
  const was = last?.entry ?? entry;
  const rxBits = perSecond(entry.rxOctets, was.rxOctets) * 8;
  const txBits = perSecond(entry.txOctets, was.txOctets) * 8;
  return {
    entry,
    rxBits,
    txBits,
    rxFrames: perSecond(entry.rx, was.rx),
    txFrames: perSecond(entry.tx, was.tx),
    discards: perSecond(discardsOf(entry), discardsOf(was)),
    history: last === undefined ? [] : [...last.history, rxBits + txBits].slice(-HISTORY),
  };
}

function discardsOf({ rxDiscards, txDiscards }: PortEntry): number {
  return [...Object.values(rxDiscards), ...Object.values(txDiscards)].reduce((sum, count) => sum + count, 0);
}
