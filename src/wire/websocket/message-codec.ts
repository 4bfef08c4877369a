/**
 * What of framing happens once a frame, done for many at once in native code; native/datapath/websocket_messages.c has them. Without one,
 * framing.ts and parser.ts do the same in TypeScript, and
 * what is unusual is theirs anyway.
 */
export interface MessageCodec {
  /**
   * Reads whole, unfragmented binary messages in `bytes[from .. end)`, unmasks
   * them in place, and puts where their payloads lie into `starts` and `lengths`.
   * @param most the longest payload that is taken
   * @param position gets, in its first word, where it stopped: at the first octet of anything else, or where there was
   *   no room for more
   * @returns how many
   */
  readMessages(
    bytes: Uint8Array,
    from: number,
    end: number,
    isMasked: boolean,
    most: number,
    starts: Uint32Array,
    lengths: Uint32Array,
    position: Uint32Array,
  ): number;

  /**
   * Writes frames as binary messages, one behind the other, from `at` on.
   * @param indexes the first `count` name the frames
   * @param leastBytes shorter payloads are padded with zeros
   * @param keys four octets for each message; none from a server
   * @returns the position behind them
   * @throws RangeError when the target has no room
   */
  writeMessages(
    target: Uint8Array,
    at: number,
    bytes: Uint8Array,
    starts: Uint32Array,
    lengths: Uint32Array,
    indexes: Uint32Array,
    count: number,
    leastBytes: number,
    keys: Uint8Array,
  ): number;

  /**
   * Writes frames as one message of the batched wire (docs/reference/protocol.md) at `at`, copied and masked in one pass.
   * @param indexes the first `count` name the frames
   * @param key four octets; none from a server
   * @returns the position behind it
   * @throws RangeError when the target has no room for it with the longest header
   */
  writeRecords(
    target: Uint8Array,
    at: number,
    bytes: Uint8Array,
    starts: Uint32Array,
    lengths: Uint32Array,
    indexes: Uint32Array,
    count: number,
    hasOffloadHeaders: boolean,
    key: Uint8Array,
  ): number;

  /** The {@link Mask} of framing.ts. */
  maskOctets(
    source: Uint8Array,
    sourceStart: number,
    target: Uint8Array,
    targetStart: number,
    length: number,
    key: Uint8Array,
  ): void;
}
