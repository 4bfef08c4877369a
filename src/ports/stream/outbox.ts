import type { Congestion, DiscardReason } from '../../bridge/port.ts';
import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { type MessageEncoder, OPCODE_CLOSE } from '../../wire/websocket/framing.ts';
import type { BlockPool } from './block-pool.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { FqCodel } from './fq-codel.ts';
import type { NotedFrames, Packing } from './packing.ts';
import { SHARED_MESSAGES, type SharedBlock } from './shared-messages.ts';
import type { Transport } from './transport.ts';

/**
 * Back-pressure watermarks: the only ingress port pauses reading above the first and resumes below the second. The
 * octets below the second are sent while the port wakes up.
 */
const CONGESTED_BYTES = 128 * 1024;
const RELIEVED_BYTES = 64 * 1024;

/** Room for the frames taken from the queue at once: one write of any transport, and the longest frame. */
const TAKEN_BYTES = 512 * 1024;

/** Octets ready to be written, `block[0 .. end)`; a shared block is given back to SharedMessages. */
interface Piece {
  readonly block: Buffer;
  readonly end: number;
  readonly shared?: SharedBlock | undefined;
}

/** The Close message, which is sent last. */
interface Last {
  readonly payload: Buffer;
  readonly onSent: () => void;
}

export interface OutboxOptions {
  readonly transport: Transport;
  readonly encoder: MessageEncoder;
  readonly packing: Packing;
  readonly blocks: BlockPool;
  /** the common bound of all tunnels of the process */
  readonly budget: BufferBudget;
  /** the bound of waiting frames, in octets */
  readonly queueBytes: number;
  /** frames to this address leave before all others that wait */
  readonly urgent?: MacAddress | undefined;
  /** called when frames that `note` accepted are dropped */
  readonly dropped: (reason: DiscardReason, frames: number) => void;
}

/** Stands for a write whose octets the transport has copied or packed itself. */
const IN_TRANSPORT: Piece = { block: Buffer.alloc(0), end: 0 };

/** Frames from a queue until they are packed. They are packed at once, so one slab serves all tunnels. */
const taken = new FrameBatch(Buffer.alloc(0));

/**
 * The egress side of a tunnel.
 *
 *   1. `note`     stores references to frames of a batch
 *   2. `flush`    packs them into messages in one block, and writes it; usually the kernel takes it at once
 *   3. otherwise  the remaining frames wait in an FQ-CoDel queue
 *   4. `written`  takes the next frames from the queue, one write at a time
 *
 * At most one write is in progress, so a tunnel holds that write, its queue, and
 * a few control messages, which are sent before the queue.
 */
export class Outbox implements Congestion {
  readonly #options: OutboxOptions;
  #batches: FrameBatch[] = [];
  #indexes: number[] = [];
  #underWay: Piece | undefined;
  #queue: FqCodel | undefined;
  /** Control messages and texts that wait: at most one for each slot, whose low four bits are the opcode. */
  #urgent = new Map<number, Buffer>();
  #last: Last | undefined;
  #onSent: (() => void) | undefined;
  #isFinished = false;
  #relieved: Set<() => void> = new Set();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Octets that wait in user space. */
  get queuedBytes(): number {
    const pending = this.#underWay === undefined ? 0 : this.#options.transport.pendingBytes;
    return pending + (this.#queue?.bytes ?? 0);
  }

  /** How long the oldest frame has waited for a write, in milliseconds; 0 when none waits. The write in progress does not count. */
  get oldestWaitedMs(): number {
    return this.#queue?.oldestWaitedMs(performance.now()) ?? 0;
  }

  /** Octets of the waiting blocks, without blocks shared with other tunnels. */
  get heldBytes(): number {
    const piece = this.#underWay;
    const pending = piece === undefined || piece.shared !== undefined ? 0 : piece.block.length;
    return pending + (this.#queue?.memoryBytes ?? 0);
  }

  /** Drops waiting frames, the oldest of the longest flows first, to free `bytes` octets. @returns the octets freed */
  shed(bytes: number): number {
    return this.#queue?.shed(bytes) ?? 0;
  }

  /** This outbox while more octets wait than CONGESTED_BYTES; else undefined. */
  get congestion(): Congestion | undefined {
    return this.queuedBytes > CONGESTED_BYTES ? this : undefined;
  }

  get isLocal(): boolean {
    return this.#options.transport.isLocal === true;
  }

  onceRelieved(relieved: () => void): void {
    this.#relieved.add(relieved);
  }

  /** @returns undefined when accepted: the frame leaves with the next flush, or is reported to `dropped` */
  note(batch: FrameBatch, index: number): DiscardReason | undefined {
    if (this.#isFinished) return 'linkDown';
    this.#batches.push(batch);
    this.#indexes.push(index);
    return undefined;
  }

  /** @param isSoleEgress whether no other port sends these frames */
  flush(isSoleEgress: boolean): void {
    const count = this.#indexes.length;
    if (count === 0) return;
    let next = 0;
    while (next < count && this.#underWay === undefined && (this.#queue === undefined || this.#queue.frames === 0)) {
      next = this.#writeNoted(next, isSoleEgress);
    }
    if (next < count) this.#enqueue(next);
    this.#batches.length = 0;
    this.#indexes.length = 0;
  }

  /**
   * Sends a control message or a text before waiting frames. It replaces one of
   * the same slot that still waits (RFC 6455, 5.5.3, for pongs).
   * @param slot the opcode in the low four bits; higher bits distinguish messages of that opcode that must all be sent
   */
  sendUrgent(slot: number, payload: Buffer): void {
    if (this.#isFinished) return;
    if (this.#underWay === undefined) this.#write(this.#messageOf(slot & 0x0f, payload));
    else this.#urgent.set(slot, payload);
  }

  /** Sends the Close message after everything that waits. @param onSent called when it was sent */
  finish(payload: Buffer, onSent: () => void): void {
    if (this.#isFinished) return;
    this.flush(false);
    this.#isFinished = true;
    this.#last = { payload, onSent };
    if (this.#underWay === undefined) this.#writeOn();
  }

  /** The transport has completed the write in progress. */
  written(): void {
    if (this.#underWay === undefined) return;
    this.#release(this.#underWay);
    this.#underWay = undefined;
    this.#writeOn();
    this.progressed();
  }

  /** A part of the write in progress was sent. */
  progressed(): void {
    if (this.#relieved.size > 0 && this.queuedBytes <= RELIEVED_BYTES) this.#relieve();
  }

  #relieve(): void {
    const relieved = this.#relieved;
    this.#relieved = new Set();
    for (const call of relieved) call();
  }

  /** Drops the waiting frames and control messages. @returns the number of frames */
  dropWaiting(): number {
    const frames = this.#indexes.length + (this.#queue?.clear() ?? 0);
    this.#urgent.clear();
    this.#batches = [];
    this.#indexes = [];
    return frames;
  }

  /** The transport is closed. The block of the write in progress, which may still be read, is left to the collector. */
  abandon(): void {
    this.dropWaiting();
    this.#isFinished = true;
    if (this.#underWay !== undefined) this.#forget(this.#underWay);
    this.#underWay = undefined;
    this.#last = undefined;
    this.#onSent = undefined;
    this.#relieve();
  }

  /** Writes noted frames from `from` on, as many as one write takes. @returns the index of the first that is left */
  #writeNoted(from: number, isSoleEgress: boolean): number {
    const { packing, encoder, blocks } = this.#options;
    const { to, bytes } = this.#worthOf(from);
    const frames = { batches: this.#batches, indexes: this.#indexes, from, to };
    if (isSoleEgress || encoder.isMasking) {
      this.#writeFrames(frames, bytes);
      return to;
    }
    let shared = SHARED_MESSAGES.find(packing, frames);
    if (shared === undefined) {
      const block = blocks.take(bytes);
      shared = SHARED_MESSAGES.share(packing, frames, block, packing.pack(encoder, block, 0, frames));
    }
    this.#write({ block: shared.block, end: shared.end, shared });
    return to;
  }

  /** @param bytes upper bound of the octets of the packed frames */
  #writeFrames(frames: NotedFrames, bytes: number): void {
    const { transport, packing, encoder, blocks } = this.#options;
    if (transport.sendFrames === undefined) {
      const block = blocks.take(bytes);
      this.#write({ block, end: packing.pack(encoder, block, 0, frames) });
      return;
    }
    this.#underWay = IN_TRANSPORT;
    if (transport.sendFrames(frames)) this.#underWay = undefined;
    else this.#options.budget.relieve();
  }

  #worthOf(from: number): { to: number; bytes: number } {
    let to = from;
    let bytes = 0;
    do {
      const length = (this.#batches[to] as FrameBatch).lengths[this.#indexes[to] as number] as number;
      bytes += this.#options.packing.sizeOf(length);
      to++;
    } while (to < this.#indexes.length && bytes < this.#options.transport.writeBytes);
    return { to, bytes };
  }

  #enqueue(from: number): void {
    const { queueBytes, transport, blocks, budget, urgent, dropped } = this.#options;
    // The write in progress counts, too.
    const bound = Math.max(queueBytes - transport.writeBytes, queueBytes / 2);
    this.#queue ??= new FqCodel({ queueBytes: bound, blocks, budget, urgent, dropped });
    const nowMs = performance.now();
    for (let i = from; i < this.#indexes.length; i++) {
      this.#queue.enqueue(this.#batches[i] as FrameBatch, this.#indexes[i] as number, nowMs);
    }
    budget.relieve();
  }

  #writeOn(): void {
    while (this.#underWay === undefined && this.#writeNext());
  }

  /** @returns false when there was nothing to write */
  #writeNext(): boolean {
    for (const [slot, payload] of this.#urgent) {
      this.#urgent.delete(slot);
      this.#write(this.#messageOf(slot & 0x0f, payload));
      return true;
    }
    if (this.#writeQueued()) return true;
    const last = this.#last;
    if (last !== undefined) {
      this.#last = undefined;
      this.#onSent = last.onSent;
      this.#write(this.#messageOf(OPCODE_CLOSE, last.payload));
      return true;
    }
    const onSent = this.#onSent;
    this.#onSent = undefined;
    onSent?.();
    return false;
  }

  #writeQueued(): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    if (taken.bytes.length === 0) taken.bytes = Buffer.allocUnsafeSlow(TAKEN_BYTES);
    taken.clear();
    queue.dequeue(taken, this.#options.transport.writeBytes, performance.now());
    if (queue.frames === 0) this.#queue = undefined;
    if (taken.count === 0) return false;
    const { packing } = this.#options;
    const batches: FrameBatch[] = [];
    const indexes: number[] = [];
    let bytes = 0;
    for (let index = 0; index < taken.count; index++) {
      batches.push(taken);
      indexes.push(index);
      bytes += packing.sizeOf(taken.lengths[index] as number);
    }
    this.#writeFrames({ batches, indexes, from: 0, to: taken.count }, bytes);
    return true;
  }

  #write(piece: Piece): void {
    // Set first: a transport that fails at once may call back from inside `write`.
    this.#underWay = piece;
    const { transport, budget } = this.#options;
    const isDone = transport.write(piece.block.subarray(0, piece.end));
    if (isDone || transport.copies === true) {
      this.#release(piece);
      this.#underWay = isDone ? undefined : IN_TRANSPORT;
    }
    if (!isDone) budget.relieve();
  }

  #release(piece: Piece): void {
    if (piece === IN_TRANSPORT) return;
    if (piece.shared === undefined) this.#options.blocks.release(piece.block);
    else SHARED_MESSAGES.release(piece.shared);
  }

  #forget(piece: Piece): void {
    if (piece === IN_TRANSPORT) return;
    if (piece.shared === undefined) this.#options.blocks.forget(piece.block);
    else SHARED_MESSAGES.abandon(piece.shared);
  }

  #messageOf(opcode: number, payload: Buffer): Piece {
    const { encoder, blocks } = this.#options;
    const block = blocks.take(encoder.sizeOf(payload.length));
    return { block, end: encoder.encode(block, 0, opcode, payload, 0, payload.length) };
  }
}
