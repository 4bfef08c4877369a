import type { Congestion, DiscardReason } from '../../bridge/port.ts';
import type { FrameBatch } from '../../wire/frame-batch.ts';
import { type MessageEncoder, OPCODE_CLOSE } from '../../wire/websocket-framing.ts';
import type { BlockPool } from './block-pool.ts';
import type { Packing } from './packing.ts';
import type { Transport } from './transport.ts';

/**
 * From here on who feeds us alone had better wait, and from there on go on: in
 * between lies what leaves while he is being woken.
 */
const CONGESTED_BYTES = 128 * 1024;
const RELIEVED_BYTES = 64 * 1024;

/** What waits behind a write is gathered in blocks of at least this size. */
const WAITING_BLOCK_BYTES = 64 * 1024;

/** Octets ready to be written: `block[0 .. end)`, with so many Ethernet frames in them. */
interface Piece {
  readonly block: Buffer;
  end: number;
  frames: number;
}

/** The close message: behind everything else, and nothing behind it. */
interface Last {
  readonly payload: Buffer;
  readonly onSent: () => void;
}

/**
 * What leaves by a tunnel.
 *
 *   1. `note`     frames of a batch, by reference, until the bound
 *   2. `flush`    all of them become messages, in one block
 *   3. `#write`   one write; mostly the kernel takes it at once and the block is free again
 *   4. else what is flushed meanwhile waits, and goes when the write is done
 *
 * At most one write is under way, so what a tunnel holds is that write, what
 * waits behind it, and a few control messages: `queueBytes` at most, and the
 * slack of the blocks.
 */
export class Outbox implements Congestion {
  readonly #transport: Transport;
  readonly #encoder: MessageEncoder;
  readonly #packing: Packing;
  readonly #blocks: BlockPool;
  readonly #queueBytes: number;

  #batches: FrameBatch[] = [];
  #indexes: number[] = [];
  #notedBytes = 0;

  #underWay: Buffer | undefined;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  /** Control messages that overtake waiting frames: at most one of each opcode. */
  #urgent = new Map<number, Buffer>();
  #last: Last | undefined;
  #onSent: (() => void) | undefined;
  #isFinished = false;
  /** A set, because who gives up waiting asks again: a peer that never reads would make a list grow. */
  #relieved = new Set<() => void>();

  constructor(options: {
    transport: Transport;
    encoder: MessageEncoder;
    packing: Packing;
    blocks: BlockPool;
    queueBytes: number;
  }) {
    this.#transport = options.transport;
    this.#encoder = options.encoder;
    this.#packing = options.packing;
    this.#blocks = options.blocks;
    this.#queueBytes = options.queueBytes;
  }

  /** Octets that wait in user space. */
  get queuedBytes(): number {
    return this.#notedBytes + this.#waitingBytes + (this.#underWay === undefined ? 0 : this.#transport.pendingBytes);
  }

  /** Itself, while more waits than keeps the transport busy until there is more. */
  get congestion(): Congestion | undefined {
    return this.queuedBytes > CONGESTED_BYTES ? this : undefined;
  }

  onceRelieved(relieved: () => void): void {
    this.#relieved.add(relieved);
  }

  /** @returns undefined when taken: it leaves with the next flush */
  note(batch: FrameBatch, index: number): DiscardReason | undefined {
    const bytes = this.#packing.sizeOf(batch.lengths[index] as number);
    if (this.#isFinished) return 'linkDown';
    if (this.queuedBytes + bytes > this.#queueBytes) return 'queueFull';
    this.#batches.push(batch);
    this.#indexes.push(index);
    this.#notedBytes += bytes;
    return undefined;
  }

  flush(): void {
    if (this.#notedBytes === 0) return;
    const piece = this.#pieceFor(this.#notedBytes);
    const start = piece.end;
    const frames = { batches: this.#batches, indexes: this.#indexes };
    const end = this.#packing.pack(this.#encoder, piece.block, start, frames);
    piece.end = end;
    piece.frames += this.#indexes.length;
    this.#batches.length = 0;
    this.#indexes.length = 0;
    this.#notedBytes = 0;
    if (this.#underWay === undefined) this.#write(piece);
    else this.#waitingBytes += end - start;
  }

  /**
   * Sends a control message, or a text, ahead of waiting frames. One that still
   * waits is replaced by a newer one of its opcode (RFC 6455, 5.5.3, for pongs).
   */
  sendUrgent(opcode: number, payload: Buffer): void {
    if (this.#isFinished) return;
    if (this.#underWay === undefined) this.#write(this.#messageOf(opcode, payload));
    else this.#urgent.set(opcode, payload);
  }

  /** Sends the close message, behind everything that waits. @param onSent when it has left */
  finish(payload: Buffer, onSent: () => void): void {
    if (this.#isFinished) return;
    this.flush();
    this.#isFinished = true;
    this.#last = { payload, onSent };
    if (this.#underWay === undefined) this.#writeOn();
  }

  /** The transport has done the write that was under way. */
  written(): void {
    if (this.#underWay === undefined) return;
    this.#blocks.release(this.#underWay);
    this.#underWay = undefined;
    this.#writeOn();
    this.progressed();
  }

  /** A part of what waits has left. */
  progressed(): void {
    if (this.#relieved.size > 0 && this.queuedBytes <= RELIEVED_BYTES) this.#relieve();
  }

  #relieve(): void {
    const relieved = this.#relieved;
    this.#relieved = new Set();
    for (const call of relieved) call();
  }

  /** Forgets the frames that have not left, and the control messages. @returns how many frames */
  dropWaiting(): number {
    let frames = this.#indexes.length;
    for (const piece of this.#waiting) {
      frames += piece.frames;
      this.#blocks.release(piece.block);
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#urgent.clear();
    this.#batches = [];
    this.#indexes = [];
    this.#notedBytes = 0;
    return frames;
  }

  /** The transport is gone. The block that was under way is left to the garbage collector: it may still be read. */
  abandon(): void {
    this.dropWaiting();
    this.#isFinished = true;
    this.#underWay = undefined;
    this.#last = undefined;
    this.#onSent = undefined;
    this.#relieve();
  }

  #writeOn(): void {
    while (this.#underWay === undefined) {
      const next = this.#next();
      if (next === undefined) return;
      this.#write(next);
    }
  }

  #next(): Piece | undefined {
    for (const [opcode, payload] of this.#urgent) {
      this.#urgent.delete(opcode);
      return this.#messageOf(opcode, payload);
    }
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#waitingBytes -= waiting.end;
      return waiting;
    }
    const last = this.#last;
    if (last !== undefined) {
      this.#last = undefined;
      this.#onSent = last.onSent;
      return this.#messageOf(OPCODE_CLOSE, last.payload);
    }
    const onSent = this.#onSent;
    this.#onSent = undefined;
    onSent?.();
    return undefined;
  }

  #write(piece: Piece): void {
    // Set first: a transport that fails at once may call back from inside.
    this.#underWay = piece.block;
    const isDone = this.#transport.write(piece.block.subarray(0, piece.end));
    if (!isDone) return;
    this.#blocks.release(piece.block);
    this.#underWay = undefined;
  }

  /** Where `bytes` octets can be put: a block of their own, or the end of what waits. */
  #pieceFor(bytes: number): Piece {
    if (this.#underWay === undefined) return { block: this.#blocks.take(bytes), end: 0, frames: 0 };
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.block.length - last.end >= bytes) return last;
    const size = last === undefined ? bytes : Math.max(bytes, WAITING_BLOCK_BYTES);
    const piece = { block: this.#blocks.take(size), end: 0, frames: 0 };
    this.#waiting.push(piece);
    return piece;
  }

  #messageOf(opcode: number, payload: Buffer): Piece {
    const block = this.#blocks.take(this.#encoder.sizeOf(payload.length));
    return { block, end: this.#encoder.encode(block, 0, opcode, payload, 0, payload.length), frames: 0 };
  }
}
