import type { PortEntry } from '../../../control/entries.ts';

/** The number of past rates of a port in its sparkline. */
export const HISTORY = 20;

/** A port with its rates. */
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

/**
 * The rates of ports in successive snapshots: those that the switch has measured within its last second (`own`), or the
 * differences of the counters between two snapshots (`counters`). Rates of discards are always the latter.
 */
export class RateMeter {
  readonly #from: 'own' | 'counters';
  #last = new Map<number, Snapshot>();

  constructor(from: 'own' | 'counters') {
    this.#from = from;
  }

  /**
   * @param atMs the time of the snapshot, by any monotonic clock
   * @returns the ports in the order of the snapshot. A port that was not in the one before has rates of 0
   */
  add(entries: readonly PortEntry[], atMs: number): PortRate[] {
    const before = this.#last;
    this.#last = new Map();
    return entries.map((entry) => {
      const rate = this.#rateOf(entry, before.get(entry.port), atMs);
      this.#last.set(entry.port, { entry, atMs, history: rate.history });
      return rate;
    });
  }

  /**
   * Gives ports of the last snapshot a past from before it.
   * @param pasts bit/s of both directions by the number of the port, the oldest first
   * @returns the same ports with it
   */
  begin(ports: readonly PortRate[], pasts: ReadonlyMap<number, readonly number[]>): PortRate[] {
    return ports.map((rate) => {
      const { port } = rate.entry;
      const last = this.#last.get(port);
      const past = pasts.get(port);
      if (last === undefined || past === undefined) return rate;
      const history = [...past, ...last.history].slice(-HISTORY);
      this.#last.set(port, { ...last, history });
      return { ...rate, history };
    });
  }

  #rateOf(entry: PortEntry, last: Snapshot | undefined, atMs: number): PortRate {
    const seconds = last === undefined ? 0 : (atMs - last.atMs) / 1000;
    // A counter is smaller than before only if the switch was restarted.
    const perSecond = (now: number, before: number): number => (seconds > 0 ? Math.max(0, now - before) / seconds : 0);
    const was = last?.entry ?? entry;
    const rates =
      this.#from === 'own'
        ? {
            rxBits: entry.rxBitRate,
            txBits: entry.txBitRate,
            rxFrames: entry.rxFrameRate,
            txFrames: entry.txFrameRate,
          }
        : {
            rxBits: perSecond(entry.rxOctets, was.rxOctets) * 8,
            txBits: perSecond(entry.txOctets, was.txOctets) * 8,
            rxFrames: perSecond(entry.rx, was.rx),
            txFrames: perSecond(entry.tx, was.tx),
          };
    return {
      entry,
      ...rates,
      discards: perSecond(discardsOf(entry), discardsOf(was)),
      history: last === undefined ? [] : [...last.history, rates.rxBits + rates.txBits].slice(-HISTORY),
    };
  }
}

/** The node of a port of a cluster; empty for that of one switch. */
export function nodeOf({ entry }: PortRate): string {
  return (entry as { readonly node?: string }).node ?? '';
}

function discardsOf({ rxDiscards, txDiscards }: PortEntry): number {
  return [...Object.values(rxDiscards), ...Object.values(txDiscards)].reduce((sum, count) => sum + count, 0);
}
