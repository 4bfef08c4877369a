/** The members of a port that are kept. */
interface Rates {
  readonly rxBitRate: number;
  readonly txBitRate: number;
}

/** The last samples of a port, the oldest first. */
export interface RateSeries {
  readonly receive: Float32Array;
  readonly transmit: Float32Array;
}

interface Ring {
  readonly receive: Float32Array;
  readonly transmit: Float32Array;
}

/**
 * The bit rates of all ports over the last samples, for small curves. All rings turn together, so a sample of 5000 ports is two
 * numbers written for each.
 */
export class RateHistory {
  readonly #length: number;
  #rings = new Map<string, Ring>();
  #next = 0;

  /** @param length the samples that are kept */
  constructor(length: number) {
    this.#length = length;
  }

  /** Takes one sample of each port; ports that are gone are forgotten. */
  sample(ports: ReadonlyMap<string, Rates>): void {
    const rings = new Map<string, Ring>();
    for (const [key, { rxBitRate, txBitRate }] of ports) {
      const ring = this.#rings.get(key) ?? this.#empty();
      ring.receive[this.#next] = rxBitRate;
      ring.transmit[this.#next] = txBitRate;
      rings.set(key, ring);
    }
    this.#rings = rings;
    this.#next = (this.#next + 1) % this.#length;
  }

  /**
   * Gives a port the samples that the switch has kept, in the place of those here, which are fewer.
   * @param receive the oldest first, as `transmit`
   */
  fill(key: string, receive: readonly number[], transmit: readonly number[]): void {
    const ring = this.#empty();
    const most = Math.min(receive.length, this.#length);
    for (let back = 1; back <= most; back++) {
      const at = (this.#next - back + this.#length) % this.#length;
      ring.receive[at] = receive[receive.length - back] ?? Number.NaN;
      ring.transmit[at] = transmit[transmit.length - back] ?? Number.NaN;
    }
    this.#rings.set(key, ring);
  }

  /** @returns copies; NaN where there was no sample */
  seriesOf(key: string): RateSeries {
    const { receive, transmit } = this.#rings.get(key) ?? this.#empty();
    return { receive: this.#inOrder(receive), transmit: this.#inOrder(transmit) };
  }

  #empty(): Ring {
    const empty = (): Float32Array => new Float32Array(this.#length).fill(Number.NaN);
    return { receive: empty(), transmit: empty() };
  }

  #inOrder(ring: Float32Array): Float32Array {
    const samples = new Float32Array(this.#length);
    samples.set(ring.subarray(this.#next));
    samples.set(ring.subarray(0, this.#next), this.#length - this.#next);
    return samples;
  }
}
