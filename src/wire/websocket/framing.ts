import type { FrameBatch } from '../ethernet/frame-batch.ts';
import type { MessageCodec } from './message-codec.ts';

/**
 * The frame of RFC 6455, 5.2, as etherws sends it: never fragmented (FIN set),
 * reserved bits 0, masked exactly when the sender is a client.
 *
 * ```text
 *   0   FIN 1 | RSV1-3 000 | opcode
 *   1   MASK  | payload length 0..125, or 126: 16 bits follow, or 127: 64 bits
 *   …   masking key, four octets, when MASK
 *   …   payload, XORed with the key when MASK
 * ```
 *
 * In this program "frame" alone means an Ethernet frame; an unfragmented
 * WebSocket frame is called a message.
 */
export const OPCODE_CONTINUATION = 0x0;
export const OPCODE_TEXT = 0x1;
export const OPCODE_BINARY = 0x2;
export const OPCODE_CLOSE = 0x8;
export const OPCODE_PING = 0x9;
export const OPCODE_PONG = 0xa;

export const FIN = 0x80;
export const MASKED = 0x80;
/** Values of the 7-bit length that announce an extended length of 16 or 64 bits. */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;
export const MASKING_KEY_BYTES = 4;
/** Two octets, a 64-bit length and a masking key. */
export const MAX_HEADER_BYTES = 14;
/** The longest payload of a control frame (RFC 6455, 5.5). */
export const MAX_CONTROL_BYTES = 125;

/**
 * XORs `length` octets of `source` with the masking key and writes them to
 * `target` (RFC 6455, 5.3). Source and target are the same place or do not
 * overlap. Masking and unmasking are the same operation.
 */
export type Mask = (
  source: Buffer,
  sourceStart: number,
  target: Buffer,
  targetStart: number,
  length: number,
  key: Uint8Array,
) => void;

/** Below this length, octet by octet is faster than by words of 32 bits. */
const MIN_WORDS_BYTES = 16;
const KEY_OCTETS = new Uint8Array(MASKING_KEY_BYTES);
const KEY_WORD = new Uint32Array(KEY_OCTETS.buffer);
/** A view of the last masked buffer as words. It is kept since the messages of one read lie in one buffer. */
let words: Uint32Array = new Uint32Array(0);

/** The {@link Mask} in TypeScript: used without the addon, and for payloads too short to be worth a native call. */
export const maskInScript: Mask = (source, sourceStart, target, targetStart, length, key) => {
  if (source !== target || sourceStart !== targetStart) {
    source.copy(target, targetStart, sourceStart, sourceStart + length);
  }
  const end = targetStart + length;
  if (length < MIN_WORDS_BYTES) {
    maskOctets(target, targetStart, end, key);
    return;
  }
  const { buffer, byteOffset } = target;
  if (words.buffer !== buffer) words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  const head = -(byteOffset + targetStart) & 3;
  maskOctets(target, targetStart, targetStart + head, key);
  for (let i = 0; i < MASKING_KEY_BYTES; i++) KEY_OCTETS[i] = key[(head + i) & 3] as number;
  const keyWord = KEY_WORD[0] as number;
  const lastWord = (byteOffset + end) >>> 2;
  for (let i = (byteOffset + targetStart + head) >>> 2; i < lastWord; i++) words[i] = (words[i] as number) ^ keyWord;
  maskOctets(target, (lastWord << 2) - byteOffset, end, KEY_OCTETS);
};

function maskOctets(bytes: Buffer, start: number, end: number, key: Uint8Array): void {
  for (let at = start, i = 0; at < end; at++, i++) bytes[at] = (bytes[at] as number) ^ (key[i & 3] as number);
}

/**
 * Unpredictable masking keys (RFC 6455, 5.3 and 10.3), taken from a pool of random
 * octets: one call of the generator serves 4096 messages.
 */
export class MaskingKeys {
  readonly #refill: (pool: Uint8Array) => void;
  readonly #pool = new Uint8Array(16_384);
  #next = 16_384;

  /** @param refill overwrites the whole pool from a cryptographic generator */
  constructor(refill: (pool: Uint8Array) => void) {
    this.#refill = refill;
  }

  /** Fills `target` with fresh keys. Its length is a multiple of 4 octets, and at most 16 384. */
  fill(target: Uint8Array): void {
    if (this.#pool.length - this.#next < target.length) {
      this.#refill(this.#pool);
      this.#next = 0;
    }
    target.set(this.#pool.subarray(this.#next, this.#next + target.length));
    this.#next += target.length;
  }

  /** Writes a fresh key into the four octets at `offset`. */
  write(target: Uint8Array, offset: number): void {
    if (this.#next === this.#pool.length) {
      this.#refill(this.#pool);
      this.#next = 0;
    }
    for (let i = 0; i < MASKING_KEY_BYTES; i++) target[offset + i] = this.#pool[this.#next++] as number;
  }
}

/** A single frame shorter than this is written faster in TypeScript than by a call of the codec. */
const MIN_CODEC_FRAME_BYTES = 256;
/** The most frames that one call of the codec writes. */
const MAX_CODEC_FRAMES = 256;

const NO_KEY = new Uint8Array(0);

/** What a client needs to mask its messages. */
export interface Masking {
  readonly mask: Mask;
  readonly keys: MaskingKeys;
}

/** Writes messages for one role: a client's encoder has a `Masking`, a server's has none. */
export class MessageEncoder {
  readonly #masking: Masking | undefined;
  readonly #codec: MessageCodec | undefined;
  readonly #key = new Uint8Array(MASKING_KEY_BYTES);
  readonly #indexes = new Uint32Array(MAX_CODEC_FRAMES);
  readonly #keys: Uint8Array;

  /** @param codec writes many messages in one native call; without one this class writes each */
  constructor(masking: Masking | undefined, codec?: MessageCodec) {
    this.#masking = masking;
    this.#codec = codec;
    this.#keys = new Uint8Array(masking === undefined ? 0 : MAX_CODEC_FRAMES * MASKING_KEY_BYTES);
  }

  /** Whether each message is masked with another key, so that an encoded message cannot be shared between peers. */
  get isMasking(): boolean {
    return this.#masking !== undefined;
  }

  /** The length of a message with this payload, header included, in octets. */
  sizeOf(payloadBytes: number): number {
    const lengthBytes = payloadBytes < LENGTH_16 ? 0 : payloadBytes < 0x1_0000 ? 2 : 8;
    return 2 + lengthBytes + (this.#masking === undefined ? 0 : MASKING_KEY_BYTES) + payloadBytes;
  }

  /**
   * Writes one message at `at`. The target has room for `sizeOf(payloadBytes)` octets there.
   * @param payloadBytes at least `length`; the difference is filled with zeros
   * @returns the position behind the message
   */
  encode(
    target: Buffer,
    at: number,
    opcode: number,
    source: Buffer,
    start: number,
    length: number,
    payloadBytes: number = length,
  ): number {
    const to = this.begin(target, at, opcode, payloadBytes);
    const end = to + payloadBytes;
    if (this.#masking === undefined || payloadBytes > length) {
      source.copy(target, to, start, start + length);
      if (payloadBytes > length) target.fill(0, to + length, end);
      this.finish(target, to, payloadBytes);
    } else {
      // One pass copies and masks.
      this.#masking.mask(source, start, target, to, length, this.#key);
    }
    return end;
  }

  /**
   * Writes frames of a batch as contiguous binary messages, as `encode` would.
   * @param indexes the elements `from` to `to`, exclusive, are the indexes of the frames
   * @param leastBytes shorter payloads are padded with zeros to this length
   * @returns the position behind them
   */
  encodeFrames(
    target: Buffer,
    at: number,
    batch: FrameBatch,
    indexes: readonly number[],
    from: number,
    to: number,
    leastBytes: number,
  ): number {
    let end = at;
    for (let next = from; next < to; ) {
      const count = Math.min(to - next, MAX_CODEC_FRAMES);
      if (this.#codec === undefined || count === 1) {
        const index = indexes[next++] as number;
        const length = batch.lengths[index] as number;
        const start = batch.starts[index] as number;
        end = this.encode(target, end, OPCODE_BINARY, batch.bytes, start, length, Math.max(length, leastBytes));
        continue;
      }
      const keys = this.#keys.subarray(0, this.#masking === undefined ? 0 : count * MASKING_KEY_BYTES);
      this.#masking?.keys.fill(keys);
      for (let i = 0; i < count; i++) this.#indexes[i] = indexes[next + i] as number;
      const { bytes, starts, lengths } = batch;
      end = this.#codec.writeMessages(target, end, bytes, starts, lengths, this.#indexes, count, leastBytes, keys);
      next += count;
    }
    return end;
  }

  /**
   * Writes frames of a batch as one message of the batched wire, by one call of the codec.
   * The target has room for it with a header of MAX_HEADER_BYTES.
   * @param indexes the elements `from` to `to`, exclusive, are the indexes of the frames
   * @returns the position behind it. Undefined, and nothing is written, without a codec, for more than
   *   MAX_CODEC_FRAMES frames, and for one frame below MIN_CODEC_FRAME_BYTES.
   */
  encodeRecords(
    target: Buffer,
    at: number,
    batch: FrameBatch,
    indexes: readonly number[],
    from: number,
    to: number,
  ): number | undefined {
    const count = to - from;
    if (this.#codec === undefined || count > MAX_CODEC_FRAMES) return undefined;
    const isSmall = count === 1 && (batch.lengths[indexes[from] as number] as number) < MIN_CODEC_FRAME_BYTES;
    if (isSmall) return undefined;
    for (let i = 0; i < count; i++) this.#indexes[i] = indexes[from + i] as number;
    this.#masking?.keys.write(this.#key, 0);
    const { bytes, starts, lengths, hasOffloadHeaders } = batch;
    const key = this.#masking === undefined ? NO_KEY : this.#key;
    return this.#codec.writeRecords(target, at, bytes, starts, lengths, this.#indexes, count, hasOffloadHeaders, key);
  }

  /**
   * Writes the header of a message. The caller then writes the payload behind it and
   * calls `finish`. No other message may be encoded in between.
   * @returns where the payload begins: at most MAX_HEADER_BYTES behind `at`
   */
  begin(target: Buffer, at: number, opcode: number, payloadBytes: number): number {
    const isMasked = this.#masking === undefined ? 0 : MASKED;
    let to = at;
    target[to++] = FIN | opcode;
    if (payloadBytes < LENGTH_16) {
      target[to++] = isMasked | payloadBytes;
    } else if (payloadBytes < 0x1_0000) {
      target[to++] = isMasked | LENGTH_16;
      target[to++] = payloadBytes >>> 8;
      target[to++] = payloadBytes & 0xff;
    } else {
      target[to++] = isMasked | LENGTH_64;
      to = target.writeUInt32BE(Math.floor(payloadBytes / 0x1_0000_0000), to);
      to = target.writeUInt32BE(payloadBytes >>> 0, to);
    }
    if (this.#masking !== undefined) {
      this.#masking.keys.write(target, to);
      for (let i = 0; i < MASKING_KEY_BYTES; i++) this.#key[i] = target[to++] as number;
    }
    return to;
  }

  /** Masks in place the payload that was written after the last `begin`. */
  finish(target: Buffer, payloadStart: number, payloadBytes: number): void {
    this.#masking?.mask(target, payloadStart, target, payloadStart, payloadBytes, this.#key);
  }
}
