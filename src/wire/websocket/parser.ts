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
 * What a stream of octets says. The views are unmasked. They lie in what `read`
 * was given, and are good until that is overwritten, or in a buffer of `Memory`,
 * and are good until that is used again.
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

/** Where the parser gets room for a message that comes in fragments. */
export interface Memory {
  /** @returns a buffer of at least so many octets, with any contents */
  take(bytes: number): Buffer;
  /** The parser is done with a buffer; views of it that the sink was given may still be in use. */
  release(buffer: Buffer): void;
}

/** A buffer below this is not worth growing in steps. */
const SMALL_BYTES = 4096;

/** Where the codec says what it found. Parsing is synchronous, so one place serves all parsers. */
const STARTS = new Uint32Array(256);
const LENGTHS = new Uint32Array(256);
const POSITION = new Uint32Array(1);

/** The masking key of the frame at hand; one for all parsers, as thousands of them may be idle. */
const KEY = new Uint8Array(MASKING_KEY_BYTES);

/**
 * Takes the octets of one direction of a WebSocket apart (RFC 6455, 5), cut
 * anywhere, and checks every rule of the clause.
 *
 * A message of one frame is handed on where it lies. The octets of an unfinished
 * frame stay with the caller, which presents them again with more behind them:
 * they are `maxMessageBytes` and a header at most. Only a message in fragments
 * is put together here, in at most as much memory as its octets need, rounded
 * up, and at most twice that while it grows.
 */
export class MessageParser {
  readonly #sink: MessageSink;
  readonly #memory: Memory;
  readonly #mask: Mask;
  readonly #codec: MessageCodec | undefined;
  readonly #isMasked: boolean;
  readonly #maxMessageBytes: number;
  /** Behind a close message or a violation: whatever comes is ignored. */
  #isEnded = false;

  // The frame whose header was read last.
  #opcode = 0;
  #isFinal = true;
  #headerBytes = 0;
  #payloadBytes = 0;

  /** Opcode of the message that is coming in fragments, 0 when none is. */
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

  /** Octets of memory that an unfinished message in fragments takes up. */
  get heldBytes(): number {
    return this.#fragments?.length ?? 0;
  }

  /** Whether what comes next begins a message, and is believed: no message is coming in fragments, and nothing has ended. */
  get isBetweenMessages(): boolean {
    return !this.#isEnded && this.#fragmentedOpcode === 0;
  }

  /**
   * Reads on. Never throws, unless the sink does.
   * @param bytes the octets `from .. end` are next, behind those that were read;
   *   they may be overwritten: whole frames are unmasked in place
   * @returns the position of the first octet that is not read yet, which must be
   *   presented again, with more behind it
   */
  read(bytes: Buffer, from: number, end: number): number {
    const read = this.#scan(bytes, from, end);
    return this.#isEnded ? end : read;
  }

  /** Gives back what is held. Whatever comes afterwards is ignored; also for a sink, in the midst of `read`. */
  end(): void {
    this.#isEnded = true;
    if (this.#fragments !== undefined) this.#memory.release(this.#fragments);
    this.#fragments = undefined;
  }

  /** Reads whole frames. @returns the position of the first octet that is not part of one */
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

  /** Hands on the usual messages, many a call. @returns where something else begins */
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

  /** @returns false when the header is not all there, or broke a rule */
  #readHeader(bytes: Buffer, at: number, end: number): boolean {
    if (end - at < 2) return false;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if (!this.#isAllowed(first, second)) return false;
    const shortLength = second & 0x7f;
    const lengthBytes = shortLength < LENGTH_16 ? 0 : shortLength === LENGTH_16 ? 2 : 8;
    const headerBytes = 2 + lengthBytes + (this.#isMasked ? MASKING_KEY_BYTES : 0);
    // The length is judged before the key is here: nothing may be kept for a message that is refused.
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

  /** Judges the two octets that every frame begins with. */
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
    const fragments = old !== undefined && total <= old.length ? old : this.#memory.take(Math.max(total, SMALL_BYTES));
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
