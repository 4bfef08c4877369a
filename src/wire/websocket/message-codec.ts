/**
 * The per-message work of WebSocket framing, for many messages a call, in native code
 * (native/datapath/websocket_messages.c). Without a codec, framing.ts and parser.ts do the
 * same in TypeScript. They also handle fragments, text and control frames, which a codec does not.
 */
export interface MessageCodec {
  /**
   * Reads complete, unfragmented binary messages from `bytes[from .. end)`, unmasks
   * them in place, and writes the positions and lengths of their payloads to `starts` and `lengths`.
   * @param most the longest payload that is accepted, in octets
   * @param position its first element is set to where reading stopped: at the first octet of anything else, or of the
   *   first message for which `starts` has no room
   * @returns how many messages were read
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
   * Writes frames as contiguous binary messages from `at` on.
   * @param indexes the first `count` elements are the indexes of the frames
   * @param leastBytes shorter payloads are padded with zeros to this length
   * @param keys four octets for each message; empty for a server
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
   * Writes frames as one message of the batched wire (docs/reference/protocol.md) at `at`. One pass copies and masks.
   * @param indexes the first `count` elements are the indexes of the frames
   * @param key four octets; empty for a server
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
