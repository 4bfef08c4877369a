import type { TunnelLimits } from './limits.ts';

/** Limit of callers that wait for an answer: some peers of etherws 1.x never give one. */
const MAX_WAITING = 16;

/**
 * Detects that the peer of a connection is gone. Any octet shows that the peer lives; pings (RFC 6455, 5.5.2) provoke
 * one and measure the round trip. The connection calls `tick` once a second.
 */
export class Liveness {
  readonly #limits: TunnelLimits;
  /** Whether the peer answers pings: it has answered one, or it uses the batched wire, where every peer answers. */
  #isAnswering: boolean;
  #isHeard = false;
  #heardMs = 0;
  #pingedMs = 0;
  #pingNumber = 0;
  /** When the unanswered ping was sent; undefined: no ping is unanswered. */
  #pingSentMs: number | undefined;
  #roundTripMs: number | undefined;
  /** The callers that wait for the next answer. */
  readonly #answered: ((roundTripMs: number) => void)[] = [];

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

  /** Starts the clock: the peer counts as alive at `nowMs`. */
  start(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#pingedMs = nowMs;
  }

  /** Octets have arrived. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#isHeard = true;
  }

  /** @returns the payload (Buffer) of a ping to send now; or the reason (string) why the peer is gone; or undefined */
  tick(nowMs: number): Buffer | string | undefined {
    const { silenceMs, pongTimeoutMs, pingIntervalMs, silentPingMs } = this.#limits;
    const isUnanswered = this.#isAnswering && this.#heardMs < this.#pingedMs;
    if (nowMs - this.#heardMs >= silenceMs) return `no traffic for ${silenceMs / 1000} s`;
    if (isUnanswered && nowMs - this.#pingedMs >= pongTimeoutMs) {
      return `no answer to a ping within ${pongTimeoutMs / 1000} s`;
    }
    const sinceMs = nowMs - this.#pingedMs;
    const isSilent = sinceMs >= silentPingMs && nowMs - this.#heardMs >= silentPingMs;
    return isSilent || sinceMs >= pingIntervalMs ? this.#ping(nowMs) : undefined;
  }

  /**
   * Measures the round trip now.
   * @param answered called with it in milliseconds, when the peer has answered
   * @returns the payload of a ping to send
   */
  measure(nowMs: number, answered: (roundTripMs: number) => void): Buffer {
    this.#answered.push(answered);
    if (this.#answered.length > MAX_WAITING) this.#answered.shift();
    const firstMs = this.#heardMs < this.#pingedMs ? this.#pingedMs : nowMs;
    const payload = this.#ping(nowMs);
    // The time of the first unanswered ping stays: measuring again and again must not keep a dead peer alive.
    this.#pingedMs = firstMs;
    return payload;
  }

  #ping(nowMs: number): Buffer {
    this.#pingedMs = nowMs;
    this.#pingNumber = (this.#pingNumber + 1) >>> 0;
    this.#pingSentMs = performance.now();
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(this.#pingNumber);
    return payload;
  }

  /** A pong has arrived. It is ignored unless it answers the last ping. */
  pong(bytes: Buffer, start: number, length: number): void {
    const isOurs = length === 4 && bytes.readUInt32BE(start) === this.#pingNumber;
    if (!isOurs || this.#pingSentMs === undefined) return;
    this.#roundTripMs = performance.now() - this.#pingSentMs;
    this.#pingSentMs = undefined;
    this.#isAnswering = true;
    for (const answered of this.#answered.splice(0)) answered(this.#roundTripMs);
  }
}
