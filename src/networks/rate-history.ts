/** The samples that are kept: a minute, at one a second. */
export const RATE_SAMPLES = 60;

/** The bit rates of a port in its last samples. A port that has carried nothing yet takes no memory for them. */
export class RateHistory {
  #samples = 0;
  /** The received rates of a turn, and behind them the sent ones. */
  #ring: Float32Array | undefined;

  /** @param rxBits bit/s, as `txBits` */
  add(rxBits: number, txBits: number): void {
    const at = this.#samples++ % RATE_SAMPLES;
    if (this.#ring === undefined) {
      if (rxBits === 0 && txBits === 0) return;
      this.#ring = new Float32Array(2 * RATE_SAMPLES);
    }
    this.#ring[at] = rxBits;
    this.#ring[RATE_SAMPLES + at] = txBits;
  }

  /** New lists, the oldest sample first. They are as long as the port is old, at most `RATE_SAMPLES`. */
  lists(): { readonly rx: number[]; readonly tx: number[] } {
    const length = Math.min(this.#samples, RATE_SAMPLES);
    const ring = this.#ring;
    const list = (offset: number): number[] =>
      Array.from({ length }, (_, index) => {
        const at = (this.#samples - length + index) % RATE_SAMPLES;
        return ring === undefined ? 0 : Math.round(ring[offset + at] as number);
      });
    return { rx: list(0), tx: list(RATE_SAMPLES) };
  }
}
