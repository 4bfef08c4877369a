import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { maskInScript } from '../../src/wire/websocket/framing.ts';
import type { MessageCodec } from '../../src/wire/websocket/message-codec.ts';
import { type Memory, MessageParser, type MessageSink } from '../../src/wire/websocket/parser.ts';

/** An event of a parser, in a form that can be compared. */
export type MessageEvent =
  | { kind: 'binary' | 'ping' | 'pong'; bytes: string }
  | { kind: 'text'; text: string }
  | { kind: 'close'; code: number; reason: string };

export interface RawFrame {
  isFinal?: boolean;
  /** RSV1 to RSV3, as in the first octet */
  reserved?: number;
  opcode: number;
  /** undefined: not masked */
  key?: Uint8Array;
  payload?: Uint8Array;
  /** the octets of the extended length; default: the shortest form */
  lengthBytes?: 0 | 2 | 8;
  /** the value of the length field; default: the true length */
  length?: number;
}

/** A WebSocket frame, which may break any rule: a second implementation, so that tests do not use the tested one. */
export function rawFrame(frame: RawFrame): Buffer {
  const payload = Buffer.from(frame.payload ?? []);
  const length = frame.length ?? payload.length;
  const lengthBytes = frame.lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const first = ((frame.isFinal ?? true) ? 0x80 : 0) | (frame.reserved ?? 0) | frame.opcode;
  const second = (frame.key === undefined ? 0 : 0x80) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  const extended = Buffer.alloc(lengthBytes);
  if (lengthBytes === 2) extended.writeUInt16BE(length);
  if (lengthBytes === 8) extended.writeBigUInt64BE(BigInt(length));
  const { key } = frame;
  if (key !== undefined) for (const [i, octet] of payload.entries()) payload[i] = octet ^ (key[i % 4] as number);
  return Buffer.concat([Buffer.from([first, second]), extended, key ?? Buffer.alloc(0), payload]);
}

/** A memory that detects misuse and leaks. */
export class CheckedMemory implements Memory {
  readonly #out = new Set<Buffer>();
  readonly #released: Buffer[] = [];

  /** Octets that were taken and not released. */
  outBytes = 0;

  take(bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes + (bytes % 3), 0xcc);
    this.#out.add(buffer);
    this.outBytes += buffer.length;
    return buffer;
  }

  release(buffer: Buffer): void {
    assert.ok(this.#out.delete(buffer), 'released what was not taken, or twice');
    this.outBytes -= buffer.length;
    this.#released.push(buffer);
  }

  /** Overwrites released memory, after the call of `read`. */
  spoil(): void {
    for (const buffer of this.#released) buffer.fill(SPOILT);
    this.#released.length = 0;
  }
}

/** The value that overwrites invalid octets, so that a later read of them shows. */
const SPOILT = 0xdd;
/** The number of other octets before those that are given to the parser. */
const LEAD = 3;

/**
 * The parser with a record of its events. Views are read at the end of `received`,
 * which is as late as the contract allows, and then overwritten.
 */
export class ParserProbe implements MessageSink {
  readonly memory: CheckedMemory = new CheckedMemory();
  readonly parser: MessageParser;
  readonly events: MessageEvent[] = [];
  violated: { code: number; what: string } | undefined;
  /** the number of binary messages that were not copied */
  inPlace = 0;
  #views: (() => void)[] = [];
  #presented: Buffer = Buffer.alloc(0);
  #rest: Buffer = Buffer.alloc(0);

  constructor(options: { isMasked: boolean; maxMessageBytes: number; codec?: MessageCodec | undefined }) {
    this.parser = new MessageParser({ ...options, mask: maskInScript, memory: this.memory, sink: this });
  }

  /** Gives the parser a chunk after the rest of the last one, each time in new memory. */
  feed(chunk: Buffer): void {
    const bytes = Buffer.concat([Buffer.alloc(LEAD, SPOILT), this.#rest, chunk, Buffer.alloc(LEAD, SPOILT)]);
    const end = bytes.length - LEAD;
    this.#rest = Buffer.from(bytes.subarray(this.received(bytes, LEAD, end), end));
  }

  /** The octets of an unfinished frame after `feed`. */
  get restBytes(): number {
    return this.#rest.length;
  }

  /** Lets the parser read; as a transport calls it. */
  received(bytes: Buffer, from: number, end: number): number {
    this.#presented = bytes;
    const read = this.parser.read(bytes, from, end);
    assert.ok(from <= read && read <= end, 'read what was not presented');
    for (const view of this.#views) view();
    this.#views = [];
    this.memory.spoil();
    bytes.fill(SPOILT, from, read);
    return read;
  }

  binaryMessage(bytes: Buffer, start: number, length: number): void {
    if (bytes === this.#presented) this.inPlace++;
    this.#note('binary', bytes, start, length);
  }

  textMessage(text: string): void {
    this.events.push({ kind: 'text', text });
  }

  ping(bytes: Buffer, start: number, length: number): void {
    this.#note('ping', bytes, start, length);
  }

  pong(bytes: Buffer, start: number, length: number): void {
    this.#note('pong', bytes, start, length);
  }

  closeMessage(code: number, reason: string): void {
    this.events.push({ kind: 'close', code, reason });
  }

  violation(code: number, what: string): void {
    assert.equal(this.violated, undefined, 'two violations');
    this.violated = { code, what };
  }

  #note(kind: 'binary' | 'ping' | 'pong', bytes: Buffer, start: number, length: number): void {
    const event = { kind, bytes: '' };
    this.events.push(event);
    this.#views.push(() => {
      event.bytes = bytes.toString('hex', start, start + length);
    });
  }
}

interface WsReceiver extends Writable {
  on(event: string, listener: (...args: never[]) => void): this;
}

/** The oracle: the receiver of ws with the same chunks. */
export async function readWithWs(
  chunks: readonly Buffer[],
  options: { isMasked: boolean; maxMessageBytes: number },
): Promise<{ events: MessageEvent[]; code: number | undefined }> {
  const { Receiver } = createRequire(import.meta.url)('ws') as {
    Receiver: new (options: object) => WsReceiver;
  };
  const events: MessageEvent[] = [];
  const receiver = new Receiver({ isServer: options.isMasked, maxPayload: options.maxMessageBytes });
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    events.push(isBinary ? { kind: 'binary', bytes: data.toString('hex') } : { kind: 'text', text: data.toString() });
  });
  receiver.on('ping', (data: Buffer) => events.push({ kind: 'ping', bytes: data.toString('hex') }));
  receiver.on('pong', (data: Buffer) => events.push({ kind: 'pong', bytes: data.toString('hex') }));
  receiver.on('conclude', (code: number, reason: Buffer) => {
    events.push({ kind: 'close', code, reason: reason.toString() });
  });
  let code: number | undefined;
  receiver.on('error', (error: Error) => {
    const [status] = Object.getOwnPropertySymbols(error);
    code ??= status === undefined ? 0 : (error as unknown as Record<symbol, number>)[status];
  });
  for (const chunk of chunks) {
    if (code !== undefined || receiver.writableEnded) break;
    receiver.write(Buffer.from(chunk));
  }
  // ws parses during `write`; only its error comes in a later turn.
  await new Promise(setImmediate);
  return { events, code };
}

/** Cuts `bytes` into pieces; `length` gets the rest and returns the length of the next piece. */
export function cut(bytes: Buffer, length: (rest: number) => number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const take = Math.max(1, Math.min(length(bytes.length - at), bytes.length - at));
    chunks.push(bytes.subarray(at, at + take));
    at += take;
  }
  return chunks;
}
