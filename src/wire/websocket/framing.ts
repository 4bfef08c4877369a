import type { FrameBatch } from '../ethernet/frame-batch.ts';
import type { MessageCodec } from './message-codec.ts';

/**
 * The frame of RFC 6455, 5.2, as this program sends it: always whole (FIN set),
 * never with a reserved bit, masked exactly when the sender is a client.
 *
 * ```text
 *   0   FIN 1 | RSV1-3 000 | opcode
 *   1   MASK  | payload length 0..125, or 126: 16 bits follow, or 127: 64 bits
 *   …   masking key, four octets, when MASK
 *   …   payload, XORed with the key when MASK
 * ```
 *
 * The word "frame" alone means an Ethernet frame here; a WebSocket frame that
 * is whole is called a message.
 */
export const OPCODE_CONTINUATION = 0x0;
export const OPCODE_TEXT = 0x1;
export const OPCODE_BINARY = 0x2;
export const OPCODE_CLOSE = 0x8;
export const OPCODE_PING = 0x9;
export const OPCODE_PONG = 0xa;

export const FIN = 0x80;
export const MASKED = 0x80;
/** Length octets that announce a longer length behind them. */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;
export const MASKING_KEY_BYTES = 4;
/** Two octets, a 64-bit length and a masking key. */
export const MAX_HEADER_BYTES = 14;
/** The payload of a control message (RFC 6455, 5.5). */
export const MAX_CONTROL_BYTES = 125;

/**
 * XORs `length` octets of `source` with the masking key and writes them to
 * `target` (RFC 6455, 5.3). Source and target are the same place or do not
 * overlap. Masking and unmasking are the same thing.
 */
export type Mask = (
  source: Buffer,
  sourceStart: number,
  target: Buffer,
  targetStart: number,
  length: number,
  key: Uint8Array,
) => void;

/** Below this the way to whole words is longer than the octets. */
const WORTH_WORDS_BYTES = 16;
const KEY_OCTETS = new Uint8Array(MASKING_KEY_BYTES);
const KEY_WORD = new Uint32Array(KEY_OCTETS.buffer);
/** The last buffer that was masked, as words: the messages of a chunk lie in one buffer. */
let words: Uint32Array = new Uint32Array(0);

/** The portable {@link Mask}: for where no native one is installed, and for what is too short to call one. */
export const maskInScript: Mask = (source, sourceStart, target, targetStart, length, key) => {
  if (source !== target || sourceStart !== targetStart) {
    source.copy(target, targetStart, sourceStart, sourceStart + length);
  }
  const end = targetStart + length;
  if (length < WORTH_WORDS_BYTES) {
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
 * Masking keys that a peer cannot predict (RFC 6455, 5.3 and 10.3), cut from a
 * pool of random octets: one call of the generator serves thousands of messages.
 */
export class MaskingKeys {
  readonly #refill: (pool: Uint8Array) => void;
  readonly #pool = new Uint8Array(16_384);
  #next = 16_384;

  /** @param refill overwrites the whole pool from a cryptographic generator */
  constructor(refill: (pool: Uint8Array) => void) {
    this.#refill = refill;
  }

  /** Fills `target`, a multiple of four octets and at most the pool, with fresh keys. */
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

/** A shorter frame by itself is written in less time than a call of the codec takes. */
const WORTH_A_CALL_BYTES = 256;
/** How many frames a call of the codec writes at most. */
const FRAMES_A_CALL = 256;

const NO_KEY = new Uint8Array(0);

/** What a client's side needs to mask what it sends. */
export interface Masking {
  readonly mask: Mask;
  readonly keys: MaskingKeys;
}

/** Writes messages for one role: a client's encoder has a masking, a server's has none. */
export class MessageEncoder {
  readonly #masking: Masking | undefined;
  readonly #codec: MessageCodec | undefined;
  readonly #key = new Uint8Array(MASKING_KEY_BYTES);
  readonly #indexes = new Uint32Array(FRAMES_A_CALL);
  readonly #keys: Uint8Array;

  /** @param codec writes many messages at once, where there is one */
  constructor(masking: Masking | undefined, codec?: MessageCodec) {
    this.#masking = masking;
    this.#codec = codec;
    this.#keys = new Uint8Array(masking === undefined ? 0 : FRAMES_A_CALL * MASKING_KEY_BYTES);
  }

  /** Whether each message is masked with a key of its own, so that none is like another. */
  get isMasking(): boolean {
    return this.#masking !== undefined;
  }

  /** How many octets a message with this payload takes. */
  sizeOf(payloadBytes: number): number {
    const lengthBytes = payloadBytes < LENGTH_16 ? 0 : payloadBytes < 0x1_0000 ? 2 : 8;
    return 2 + lengthBytes + (this.#masking === undefined ? 0 : MASKING_KEY_BYTES) + payloadBytes;
  }

  /**
   * Writes one whole message at `at`; the caller has made room for `sizeOf`.
   * `source` is only read.
   * @param payloadBytes at least `length`; what is missing is filled with zeros
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
      // Copying and masking are one pass over the octets.
      this.#masking.mask(source, start, target, to, length, this.#key);
    }
    return end;
  }

  /**
   * Writes frames of a batch as messages, one behind the other, as `encode` would.
   * @param indexes from `from` to `to` they name the frames
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
      const count = Math.min(to - next, FRAMES_A_CALL);
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
   * Writes frames of a batch as one message of the batched wire, in native code.
   * The caller has made room for it with the longest header.
   * @param indexes from `from` to `to` they name the frames
   * @returns the position behind it, or undefined, and nothing is written: there is no codec, they are too many for it,
   *   or it is one and so small that a call would cost more
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
    if (this.#codec === undefined || count > FRAMES_A_CALL) return undefined;
    const isSmall = count === 1 && (batch.lengths[indexes[from] as number] as number) < WORTH_A_CALL_BYTES;
    if (isSmall) return undefined;
    for (let i = 0; i < count; i++) this.#indexes[i] = indexes[from + i] as number;
    this.#masking?.keys.write(this.#key, 0);
    const { bytes, starts, lengths, hasOffloadHeaders } = batch;
    const key = this.#masking === undefined ? NO_KEY : this.#key;
    return this.#codec.writeRecords(target, at, bytes, starts, lengths, this.#indexes, count, hasOffloadHeaders, key);
  }

  /**
   * Writes the header of a message whose payload the caller puts behind it, and
   * then ends by `finish`. Nothing else may be encoded in between.
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

  /** Masks in place what was put behind the last `begin`. */
  finish(target: Buffer, payloadStart: number, payloadBytes: number): void {
    this.#masking?.mask(target, payloadStart, target, payloadStart, payloadBytes, this.#key);
  }
}
