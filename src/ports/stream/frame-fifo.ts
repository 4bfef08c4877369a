import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_HEADER_BYTES } from '../../wire/offload/virtio-header.ts';
import { RECORD_LEAD_BYTES } from '../../wire/tunnel/tunnel-message.ts';
import type { BlockPool } from './block-pool.ts';

/**
 * In front of each waiting record: its arrival time (microseconds modulo 2³²)
 * and its frame's length. Stored here, a frame needs no JavaScript object.
 */
const NOTE_BYTES = 8;
const HEADER_AT = NOTE_BYTES;
const FRAME_AT: number = NOTE_BYTES + OFFLOAD_HEADER_BYTES;

/**
 * Small frames share blocks up to this size; a longer frame has a block alone.
 * A small value bounds the memory that one remaining frame of a block can hold.
 */
const SHARED_BLOCK_BYTES = 8 * 1024;

/** Notes and records in `block[start .. end)`. */
interface Chunk {
  readonly block: Buffer;
  start: number;
  end: number;
  next: Chunk | undefined;
}

/** Totals of the frames of one or several FIFOs. */
export class Occupancy {
  frames = 0;
  /** Octets of the waiting records, leads included. */
  bytes = 0;
  /** Octets of their blocks. */
  heldBytes = 0;
}

/**
 * The waiting frames of one flow, copied, first in first out. A block goes back
 * to the pool when its last frame has left; an empty FIFO holds no block.
 */
export class FrameFifo {
  readonly #blocks: BlockPool;
  readonly #total: Occupancy;
  #head: Chunk | undefined;
  #tail: Chunk | undefined;

  /** Octets of the waiting records, leads included. */
  bytes = 0;
  /** Octets of the longest record since the FIFO was made. */
  longestBytes = 0;

  /** @param total totals that this FIFO's frames are added to and subtracted from */
  constructor(blocks: BlockPool, total: Occupancy) {
    this.#blocks = blocks;
    this.#total = total;
  }

  /** Octets of the first record, lead included; 0 when the FIFO is empty. */
  get headBytes(): number {
    const head = this.#head;
    return head === undefined ? 0 : RECORD_LEAD_BYTES + frameBytesAt(head);
  }

  /** Appends a copy of frame `index` with its offload header; an all-zero header if the batch has none. */
  push(batch: FrameBatch, index: number, nowMs: number): void {
    const start = batch.starts[index] as number;
    const length = batch.lengths[index] as number;
    const chunk = this.#chunkFor(FRAME_AT + length);
    const { block, end } = chunk;
    block.writeUInt32LE((nowMs * 1000) >>> 0, end);
    block.writeUInt32LE(length, end + 4);
    if (batch.hasOffloadHeaders) {
      batch.bytes.copy(block, end + HEADER_AT, start - OFFLOAD_HEADER_BYTES, start + length);
    } else {
      block.fill(0, end + HEADER_AT, end + FRAME_AT);
      batch.bytes.copy(block, end + FRAME_AT, start, start + length);
    }
    chunk.end = end + FRAME_AT + length;
    const recordBytes = RECORD_LEAD_BYTES + length;
    this.bytes += recordBytes;
    this.longestBytes = Math.max(this.longestBytes, recordBytes);
    this.#total.frames++;
    this.#total.bytes += recordBytes;
  }

  /** Waiting time of the first frame; negative if the clock went back; 0 when the FIFO is empty. */
  headWaitedMs(nowMs: number): number {
    const head = this.#head;
    if (head === undefined) return 0;
    return ((((nowMs * 1000) >>> 0) - head.block.readUInt32LE(head.start)) | 0) / 1000;
  }

  /** Moves the first record to position `at` of `into`, which must have room. @returns the position behind it */
  moveHead(into: FrameBatch, at: number): number {
    const head = this.#head;
    if (head === undefined) return at;
    const length = frameBytesAt(head);
    const frameAt = at + RECORD_LEAD_BYTES;
    const from = head.start + HEADER_AT;
    head.block.copy(into.bytes, frameAt - OFFLOAD_HEADER_BYTES, from, from + OFFLOAD_HEADER_BYTES + length);
    into.push(frameAt, length);
    this.dropHead();
    return frameAt + length;
  }

  dropHead(): void {
    const head = this.#head;
    if (head === undefined) return;
    const length = frameBytesAt(head);
    this.bytes -= RECORD_LEAD_BYTES + length;
    this.#total.frames--;
    this.#total.bytes -= RECORD_LEAD_BYTES + length;
    head.start += FRAME_AT + length;
    if (head.start === head.end) this.#releaseHead(head);
  }

  /** Removes all frames. */
  clear(): void {
    while (this.#head !== undefined) this.dropHead();
  }

  #releaseHead(head: Chunk): void {
    this.#head = head.next;
    if (head.next === undefined) this.#tail = undefined;
    this.#total.heldBytes -= head.block.length;
    this.#blocks.release(head.block);
  }

  #chunkFor(bytes: number): Chunk {
    const tail = this.#tail;
    if (tail !== undefined && tail.block.length - tail.end >= bytes) return tail;
    // Twice the octets so far: a sparse flow's only frame gets a block of the size that it needs.
    const wanted = Math.max(bytes, Math.min(this.bytes, SHARED_BLOCK_BYTES));
    const chunk: Chunk = { block: this.#blocks.take(wanted), start: 0, end: 0, next: undefined };
    this.#total.heldBytes += chunk.block.length;
    if (tail === undefined) this.#head = chunk;
    else tail.next = chunk;
    this.#tail = chunk;
    return chunk;
  }
}

function frameBytesAt({ block, start }: Chunk): number {
  return block.readUInt32LE(start + 4);
}
