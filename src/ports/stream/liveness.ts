import type { TunnelLimits } from './limits.ts';

/**
 * Whether the peer of a connection is still there, by what it says: anything is
 * a sign of life, and pings (RFC 6455, 5.5.2) ask for one and measure the round
 * trip. It owns no timer: whoever has one calls `beat` now and then.
 */
export class Liveness {
  readonly #limits: TunnelLimits;
  /** Whether the peer answers pings: shown by an answer, or by the wire, which only our kind speaks. */
  #isAnswering: boolean;
  #isHeard = false;
  #heardMs = 0;
  #pingedMs = 0;
  #pingNumber = 0;
  /** When the ping left that is not answered yet; undefined when none is out. */
  #pingSentMs: number | undefined;
  #roundTripMs: number | undefined;

  /** @param isAnswering whether the peer is known to answer pings */
  constructor(limits: TunnelLimits, isAnswering: boolean) {
    this.#limits = limits;
    this.#isAnswering = isAnswering;
  }

  /** The last measured round trip; undefined before the first pong. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Whether anything has arrived yet. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** The peer is believed to be there now. */
  start(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#pingedMs = nowMs;
  }

  /** Something has arrived. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#isHeard = true;
  }

  /** @returns what the next ping is to carry, if one is due; or, in one line, why the peer counts as gone */
  beat(nowMs: number): Buffer | string | undefined {
    const { silenceMs, pongTimeoutMs, pingIntervalMs } = this.#limits;
    const isUnanswered = this.#isAnswering && this.#heardMs < this.#pingedMs;
    if (nowMs - this.#heardMs >= silenceMs) return `no traffic for ${silenceMs / 1000} s`;
    if (isUnanswered && nowMs - this.#pingedMs >= pongTimeoutMs) {
      return `no answer to a ping within ${pongTimeoutMs / 1000} s`;
    }
    if (nowMs - this.#pingedMs < pingIntervalMs) return undefined;
    this.#pingedMs = nowMs;
    this.#pingNumber = (this.#pingNumber + 1) >>> 0;
    this.#pingSentMs = performance.now();
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(this.#pingNumber);
    return payload;
  }

  /** A pong has come; others than the answer to the last ping say nothing. */
  pong(bytes: Buffer, start: number, length: number): void {
    const isOurs = length === 4 && bytes.readUInt32BE(start) === this.#pingNumber;
    if (!isOurs || this.#pingSentMs === undefined) return;
    this.#roundTripMs = performance.now() - this.#pingSentMs;
    this.#pingSentMs = undefined;
    this.#isAnswering = true;
  }
}
