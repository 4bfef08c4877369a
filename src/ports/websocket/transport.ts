/**
 * The byte stream under a tunnel, behind as little as the tunnel needs of it,
 * so that a socket of Node, a native one, or a piece of memory can be it.
 *
 * Life: `listen` once; `start` once; then `received` and `written` until
 * `closed`, which is the last event and comes exactly once, never from inside a
 * call, and also when the transport was destroyed before any of this.
 */
export interface Transport {
  /** Whose code moves its octets; which it is decides the speed of a tunnel. */
  readonly kind: 'native' | 'native-tls' | 'node';
  /** Who is told what happens. Nothing is read before `start`. */
  listen(events: TransportEvents): void;
  /** Begins to read, with what arrived before. */
  start(): void;
  /**
   * Sends octets. Only one write may be under way.
   * @returns true when the octets have left and are the caller's again; false
   *   when they stay in use until `written`, or until `closed`
   */
  write(bytes: Buffer): boolean;
  /**
   * How much is best written at once: what leaves immediately in short pieces,
   * so that little is beyond overtaking; what is only done a turn of the event
   * loop later in long ones.
   */
  readonly writeBytes: number;
  /** Octets of the write that is under way that have not left yet. */
  readonly pendingBytes: number;
  /** Ends our direction behind what was written. */
  end(): void;
  /** Cuts the connection; what was not sent is lost. Idempotent. */
  destroy(): void;
}

export interface TransportEvents {
  /**
   * Octets `bytes[from .. end)` have arrived. The receiver may overwrite them,
   * until this returns; then they are the transport's again.
   * @returns the position of the first octet that must be presented again, in front of what comes next
   */
  received(bytes: Buffer, from: number, end: number): number;
  /** A part of the write that is under way has left. Said by transports that know. */
  progressed(): void;
  /** The write that was under way is done. */
  written(): void;
  /** The peer ended its direction. */
  ended(): void;
  /** Everything is gone. @param failure why, when it was no orderly end */
  closed(failure: Error | undefined): void;
}
