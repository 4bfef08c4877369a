import {
  CLOSE_INVALID_PAYLOAD,
  CLOSE_NO_CODE,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  isSendableCloseCode,
} from './close-code.ts';
import {
  FIN,
  LENGTH_16,
  MASKED,
  MASKING_KEY_BYTES,
  MAX_CONTROL_BYTES,
  type Mask,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from './framing.ts';
import type { MessageCodec } from './message-codec.ts';

/**
 * What the parser reports. Payloads are unmasked. A payload lies either in the buffer
 * that `read` was given, and is valid until that is overwritten, or in a buffer of
 * `Memory`, and is valid until that buffer is taken again.
 */
export interface MessageSink {
  binaryMessage(bytes: Buffer, start: number, length: number): void;
  textMessage(text: string): void;
  ping(bytes: Buffer, start: number, length: number): void;
  pong(bytes: Buffer, start: number, length: number): void;
  /** The peer's close message: the last event. @param code CLOSE_NO_CODE when it gave none */
  closeMessage(code: number, reason: string): void;
  /** The peer broke the protocol: the last event. @param code what to close with */
  violation(code: number, what: string): void;
}

/** Buffers for the reassembly of fragmented messages. */
export interface Memory {
  /** @returns a buffer of at least `bytes` octets, with any contents */
  take(bytes: number): Buffer;
  /** Gives a buffer back. Views of it that were passed to the sink may still be in use. */
  release(buffer: Buffer): void;
}

/** The smallest buffer for reassembly: a smaller one would be grown soon. */
const MIN_REASSEMBLY_BYTES = 4096;

/** The results of the codec. Parsing is synchronous, so all parsers share them. */
const STARTS = new Uint32Array(256);
const LENGTHS = new Uint32Array(256);
const POSITION = new Uint32Array(1);

/** The masking key of the current frame. All parsers share it: thousands of them may be idle. */
const KEY = new Uint8Array(MASKING_KEY_BYTES);

/**
 * Parses the octets of one direction of a WebSocket connection (RFC 6455, 5), in
 * pieces of any length, and checks every rule of that clause.
 *
 * An unfragmented message is reported in place. The octets of an incomplete frame stay
 * with the caller, which passes them again with more behind them: at most
 * `maxMessageBytes` and a header. Only a fragmented message is copied. Its memory
 * is the message's length, rounded up by `Memory`, and twice that while it grows.
 */
export class MessageParser {
  readonly #sink: MessageSink;
  readonly #memory: Memory;
  readonly #mask: Mask;
  readonly #codec: MessageCodec | undefined;
  readonly #isMasked: boolean;
  readonly #maxMessageBytes: number;
  /** Set by a close message, a violation and `end`: all further octets are ignored. */
  #isEnded = false;

  // The fields of the header that was read last.
  #opcode = 0;
  #isFinal = true;
  #headerBytes = 0;
  #payloadBytes = 0;

  /** The opcode of the fragmented message in progress, 0 without one. */
  #fragmentedOpcode = 0;
  #fragments: Buffer | undefined;
  #fragmentBytes = 0;

  /** @param options `isMasked`: whether the peer must mask (it is a client) or must not */
  constructor(options: {
    isMasked: boolean;
    maxMessageBytes: number;
    mask: Mask;
    codec?: MessageCodec | undefined;
    memory: Memory;
    sink: MessageSink;
  }) {
    this.#isMasked = options.isMasked;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#mask = options.mask;
    this.#codec = options.codec;
    this.#memory = options.memory;
    this.#sink = options.sink;
  }

  /** The size of the reassembly buffer, in octets; 0 without a fragmented message. */
  get heldBytes(): number {
    return this.#fragments?.length ?? 0;
  }

  /** Whether the next frame begins a message: no fragmented message is in progress, and the parser has not ended. */
  get isBetweenMessages(): boolean {
    return !this.#isEnded && this.#fragmentedOpcode === 0;
  }

  /**
   * Parses the complete frames in `bytes[from .. end)`. Throws only if the sink does.
   * @param bytes complete frames are unmasked in place
   * @returns the position of the first unread octet; the caller must pass the octets
   *   from there again, with more behind them
   */
  read(bytes: Buffer, from: number, end: number): number {
    const read = this.#scan(bytes, from, end);
    return this.#isEnded ? end : read;
  }

  /** Ends parsing and releases the reassembly buffer. A sink may call it during `read`. */
  end(): void {
    this.#isEnded = true;
    if (this.#fragments !== undefined) this.#memory.release(this.#fragments);
    this.#fragments = undefined;
  }

  /** @returns the position behind the last complete frame */
  #scan(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (!this.#isEnded) {
      if (this.#codec !== undefined && this.#fragmentedOpcode === 0) {
        at = this.#readMany(this.#codec, bytes, at, end);
        if (this.#isEnded) break;
      }
      if (!this.#readHeader(bytes, at, end)) return at;
      const start = at + this.#headerBytes;
      const next = start + this.#payloadBytes;
      if (next > end) return at;
      if (this.#isMasked) {
        for (let i = 0; i < MASKING_KEY_BYTES; i++) KEY[i] = bytes[start - MASKING_KEY_BYTES + i] as number;
        this.#mask(bytes, start, bytes, start, this.#payloadBytes, KEY);
      }
      if (this.#opcode === OPCODE_BINARY && this.#isFinal) {
        this.#sink.binaryMessage(bytes, start, this.#payloadBytes);
      } else if (this.#opcode >= OPCODE_CLOSE) {
        this.#readControl(bytes, start, this.#payloadBytes);
      } else if (this.#isFinal && this.#fragmentedOpcode === 0) {
        this.#readText(bytes, start, this.#payloadBytes);
      } else {
        this.#readFragment(bytes, start, this.#payloadBytes);
      }
      at = next;
    }
    return at;
  }

  /** Reports unfragmented binary messages, as many as the codec finds. @returns the position of the first other octet */
  #readMany(codec: MessageCodec, bytes: Buffer, from: number, end: number): number {
    const most = this.#maxMessageBytes;
    let at = from;
    for (;;) {
      const count = codec.readMessages(bytes, at, end, this.#isMasked, most, STARTS, LENGTHS, POSITION);
      at = POSITION[0] as number;
      for (let i = 0; i < count && !this.#isEnded; i++) {
        this.#sink.binaryMessage(bytes, STARTS[i] as number, LENGTHS[i] as number);
      }
      if (count < STARTS.length || this.#isEnded) return at;
    }
  }

  /** @returns false when the header is incomplete, or violates the protocol */
  #readHeader(bytes: Buffer, at: number, end: number): boolean {
    if (end - at < 2) return false;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if (!this.#isAllowed(first, second)) return false;
    const shortLength = second & 0x7f;
    const lengthBytes = shortLength < LENGTH_16 ? 0 : shortLength === LENGTH_16 ? 2 : 8;
    const headerBytes = 2 + lengthBytes + (this.#isMasked ? MASKING_KEY_BYTES : 0);
    // The length is checked before the masking key has arrived, so a peer cannot make us wait for a refused message.
    if (end - at < 2 + lengthBytes) return false;
    let length = shortLength;
    if (lengthBytes === 2) {
      length = bytes.readUInt16BE(at + 2);
      if (length < LENGTH_16) return this.#violate(CLOSE_PROTOCOL_ERROR, `length ${length} written in 16 bits`);
    } else if (lengthBytes === 8) {
      length = bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
      if (length < 0x1_0000) return this.#violate(CLOSE_PROTOCOL_ERROR, `length ${length} written in 64 bits`);
    }
    const messageBytes = (first & 0x0f) < OPCODE_CLOSE ? this.#fragmentBytes + length : length;
    if (messageBytes > this.#maxMessageBytes) {
      return this.#violate(CLOSE_TOO_BIG, `message of ${messageBytes} octets, ${this.#maxMessageBytes} are taken`);
    }
    if (end - at < headerBytes) return false;
    this.#opcode = first & 0x0f;
    this.#isFinal = (first & FIN) !== 0;
    this.#headerBytes = headerBytes;
    this.#payloadBytes = length;
    return true;
  }

  /** Checks the first two octets of a frame. */
  #isAllowed(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isMasked = (second & MASKED) !== 0;
    if ((first & 0x70) !== 0) return this.#violate(CLOSE_PROTOCOL_ERROR, 'reserved bit set without an extension');
    if (isMasked !== this.#isMasked) {
      return this.#violate(
        CLOSE_PROTOCOL_ERROR,
        isMasked ? 'masked frame from a server' : 'unmasked frame from a client',
      );
    }
    switch (opcode) {
      case OPCODE_CONTINUATION:
        if (this.#fragmentedOpcode !== 0) return true;
        return this.#violate(CLOSE_PROTOCOL_ERROR, 'continuation of no message');
      case OPCODE_TEXT:
      case OPCODE_BINARY:
        if (this.#fragmentedOpcode === 0) return true;
        return this.#violate(CLOSE_PROTOCOL_ERROR, 'new message inside a fragmented one');
      case OPCODE_CLOSE:
      case OPCODE_PING:
      case OPCODE_PONG:
        if ((first & FIN) === 0) return this.#violate(CLOSE_PROTOCOL_ERROR, 'fragmented control frame');
        if ((second & 0x7f) <= MAX_CONTROL_BYTES) return true;
        return this.#violate(CLOSE_PROTOCOL_ERROR, 'control frame longer than 125 octets');
      default:
        return this.#violate(CLOSE_PROTOCOL_ERROR, `unknown opcode ${opcode}`);
    }
  }

  #readControl(bytes: Buffer, start: number, length: number): void {
    if (this.#opcode === OPCODE_PING) this.#sink.ping(bytes, start, length);
    else if (this.#opcode === OPCODE_PONG) this.#sink.pong(bytes, start, length);
    else this.#readClose(bytes, start, length);
  }

  #readClose(bytes: Buffer, start: number, length: number): void {
    if (length === 1) {
      this.#violate(CLOSE_PROTOCOL_ERROR, 'close message with half a code');
      return;
    }
    const code = length === 0 ? CLOSE_NO_CODE : bytes.readUInt16BE(start);
    if (length !== 0 && !isSendableCloseCode(code)) {
      this.#violate(CLOSE_PROTOCOL_ERROR, `close code ${code}`);
      return;
    }
    const reason = length <= 2 ? '' : decodeUtf8(bytes, start + 2, length - 2);
    if (reason === undefined) {
      this.#violate(CLOSE_INVALID_PAYLOAD, 'close reason that is not UTF-8');
      return;
    }
    this.end();
    this.#sink.closeMessage(code, reason);
  }

  #readFragment(bytes: Buffer, start: number, length: number): void {
    if (this.#opcode !== OPCODE_CONTINUATION) this.#fragmentedOpcode = this.#opcode;
    const total = this.#fragmentBytes + length;
    const old = this.#fragments;
    const fragments =
      old !== undefined && total <= old.length ? old : this.#memory.take(Math.max(total, MIN_REASSEMBLY_BYTES));
    if (old !== undefined && fragments !== old) {
      old.copy(fragments, 0, 0, this.#fragmentBytes);
      this.#memory.release(old);
    }
    bytes.copy(fragments, this.#fragmentBytes, start, start + length);
    this.#fragments = fragments;
    this.#fragmentBytes = total;
    if (!this.#isFinal) return;
    const opcode = this.#fragmentedOpcode;
    this.#fragmentedOpcode = 0;
    this.#fragments = undefined;
    this.#fragmentBytes = 0;
    if (opcode === OPCODE_BINARY) this.#sink.binaryMessage(fragments, 0, total);
    else this.#readText(fragments, 0, total);
    this.#memory.release(fragments);
  }

  #readText(bytes: Buffer, start: number, length: number): void {
    const text = decodeUtf8(bytes, start, length);
    if (text === undefined) this.#violate(CLOSE_INVALID_PAYLOAD, 'text message that is not UTF-8');
    else this.#sink.textMessage(text);
  }

  #violate(code: number, what: string): false {
    this.end();
    this.#sink.violation(code, what);
    return false;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns undefined when the octets are not UTF-8 */
function decodeUtf8(bytes: Buffer, start: number, length: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, start + length));
  } catch {
    return undefined;
  }
}
