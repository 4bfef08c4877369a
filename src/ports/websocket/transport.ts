/**
 * The byte stream under a tunnel, behind as little as the tunnel needs of it,
 * so that a socket of Node, a native one, or a piece of memory can be it.
 *
 * Life: `listen` once; `start` once; then `received` and `written` until
 * `closed`, which is the last event and comes exactly once, also when nothing
 * was ever started.
 */
export interface Transport {
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
  /** Ends our direction behind what was written. */
  end(): void;
  /** Cuts the connection; what was not sent is lost. */
  destroy(): void;
}

export interface TransportEvents {
  /** @param chunk the receiver's to overwrite, and fresh every time */
  received(chunk: Buffer): void;
  /**
   * The same for octets that stay the transport's: they may be overwritten when
   * this returns, unless `isHeld` says otherwise.
   * @returns the position of the first octet that must be presented again, in front of what comes next
   */
  receivedAt(bytes: Buffer, from: number, end: number): number;
  /** Whether somebody keeps views of these octets beyond the last delivery. */
  isHeld(bytes: Buffer): boolean;
  /** The write that was under way is done. */
  written(): void;
  /** The peer ended its direction. */
  ended(): void;
  /** Everything is gone. @param failure why, when it was no orderly end */
  closed(failure: Error | undefined): void;
}
