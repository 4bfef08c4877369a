import { CELLS, RX_CELL, TX_CELL } from '../bridge/counters.ts';
import { RateHistory } from './rate-history.ts';

/** Frames and bits a second in one direction. */
export interface Rate {
  readonly frames: number;
  readonly bits: number;
}

/** The rates of a port over about the last second: the differences of its counters between two samples. */
export class PortRates {
  readonly #cells: Float64Array;
  /** Plain arrays: two typed ones take 300 octets more, at each of thousands of ports. */
  readonly #last: number[];
  readonly #perSecond: number[] = new Array(CELLS).fill(0);
  /** The rates of the last samples. */
  readonly history = new RateHistory();
  #lastMs: number;

  /** @param cells the counters of the port, as BridgePort has them */
  constructor(cells: Float64Array, nowMs: number) {
    this.#cells = cells;
    this.#last = Array.from(cells);
    this.#lastMs = nowMs;
  }

  /** To be called about once a second. */
  sample(nowMs: number): void {
    const seconds = (nowMs - this.#lastMs) / 1000;
    if (seconds <= 0) return;
    this.#lastMs = nowMs;
    for (let cell = 0; cell < CELLS; cell++) {
      const count = this.#cells[cell] as number;
      this.#perSecond[cell] = (count - (this.#last[cell] as number)) / seconds;
      this.#last[cell] = count;
    }
    this.history.add(this.rx.bits, this.tx.bits);
  }

  get rx(): Rate {
    return this.#rateAt(RX_CELL);
  }

  get tx(): Rate {
    return this.#rateAt(TX_CELL);
  }

  /** Rounded, since the interval is known only roughly. */
  #rateAt(cell: number): Rate {
    const [frames, octets] = [this.#perSecond[cell] as number, this.#perSecond[cell + 1] as number];
    return { frames: Math.round(frames), bits: Math.round(octets * 8) };
  }
}
