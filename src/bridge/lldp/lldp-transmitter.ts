/** msgTxInterval, msgFastTx (IEEE 802.1AB-2016, 9.2.5.7 and 9.2.5.5). */
export const TX_INTERVAL_MS = 30_000;
export const FAST_TX_MS = 1000;
/** msgTxHold: how many intervals neighbours keep what a port said (9.2.5.6). */
export const TX_HOLD = 4;
/** txFastInit: the number of LLDPDUs that a new neighbour is told at once, one a second (9.2.5.19). */
export const TX_FAST_INIT = 4;
/** txCreditMax: the most LLDPDUs in a row; one more a second (9.2.5.17). */
export const TX_CREDIT_MAX = 5;
/** reinitDelay: from the end of transmission to its next start (9.2.5.10). */
export const REINIT_DELAY_MS = 2000;
/** txTTL: 121 s (9.2.5.22). */
export const TX_TTL_SECONDS: number = (TX_INTERVAL_MS / 1000) * TX_HOLD + 1;

/**
 * The transmit state machine and the transmit timer state machine of one port (IEEE 802.1AB-2016, 9.2.8 and 9.2.10).
 * Sans-I/O: `poll` answers when there is something to send. Times are those of a monotonic clock, in milliseconds.
 */
export class LldpTransmitter {
  #isEnabled = false;
  /** TX_LLDP_INITIALIZE before it, TX_IDLE from it on */
  #startMs = 0;
  #nextMs = 0;
  #isChanged = false;
  #fast = 0;
  #credit = TX_CREDIT_MAX;
  #creditMs = 0;
  /** in [0, 1): spreads the LLDPDUs of many ports that start together over the interval */
  readonly #spread: number;
  #isFirst = true;

  constructor(spread: number) {
    this.#spread = spread;
  }

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /**
   * @param isEnabled whether the port is operational and its admin status lets it transmit
   * @returns whether it has just ended, so that a shutdown LLDPDU is due if the port can still send
   */
  enable(isEnabled: boolean, nowMs: number): boolean {
    if (isEnabled === this.#isEnabled) return false;
    this.#isEnabled = isEnabled;
    if (!isEnabled) {
      this.#startMs = nowMs + REINIT_DELAY_MS;
      return true;
    }
    this.#startMs = Math.max(this.#startMs, nowMs);
    this.#nextMs = this.#startMs;
    this.#creditMs = this.#startMs;
    this.#credit = TX_CREDIT_MAX;
    this.#fast = 0;
    this.#isFirst = true;
    return false;
  }

  /** somethingChangedLocal (9.2.7.9). */
  localChange(): void {
    this.#isChanged = true;
  }

  /** newNeighbor, state TX_FAST_START. Before a start it has no effect, since a start begins with an LLDPDU. */
  newNeighbor(nowMs: number): void {
    if (this.#fast === 0) this.#fast = TX_FAST_INIT;
    this.#nextMs = nowMs;
  }

  /** @returns whether an LLDPDU with the port's information is to be sent now */
  poll(nowMs: number): boolean {
    if (!this.#isEnabled || nowMs < this.#startMs) return false;
    this.#addCredit(nowMs);
    const isExpired = nowMs >= this.#nextMs;
    if (!isExpired && !this.#isChanged) return false;
    if (this.#credit === 0) return false;
    // TX_TIMER_EXPIRES, then SIGNAL_TX.
    if (isExpired && this.#fast > 0) this.#fast--;
    this.#isChanged = false;
    this.#nextMs = nowMs + (this.#fast > 0 ? FAST_TX_MS : this.#interval());
    this.#credit--;
    return true;
  }

  #interval(): number {
    if (!this.#isFirst) return TX_INTERVAL_MS;
    this.#isFirst = false;
    return TX_INTERVAL_MS * (0.5 + this.#spread / 2);
  }

  #addCredit(nowMs: number): void {
    const seconds = Math.floor((nowMs - this.#creditMs) / 1000);
    // A change within a tick is polled with a later time than the tick.
    if (seconds <= 0) return;
    this.#creditMs += seconds * 1000;
    this.#credit = Math.min(TX_CREDIT_MAX, this.#credit + seconds);
  }
}
