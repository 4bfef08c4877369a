import type { DiscardReason } from '../../bridge/port.ts';
import { HEADER_BYTES } from '../../wire/ethernet-frame.ts';
import { FrameBatch } from '../../wire/frame-batch.ts';
import type { Memory } from '../../wire/websocket-parser.ts';
import type { BlockPool } from './block-pool.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const KEPT_BATCHES = 8;
/** Batches between two uses. All tunnels share them, so an idle one has none. */
const spareBatches: FrameBatch[] = [];

export interface InboxEvents {
  receive(batch: FrameBatch): void;
  discarded(reason: DiscardReason, frames: number): void;
}

/**
 * What arrives by a tunnel: gathers the frames of one chunk into one batch, and
 * the memory in which some of them lie.
 */
export class Inbox implements Memory {
  readonly #events: InboxEvents;
  readonly #blocks: BlockPool;
  readonly #maxFrameBytes: number;
  readonly #hasOffloadHeaders: boolean;
  #batch: FrameBatch | undefined;
  #runts = 0;
  #tooLong = 0;
  /** Blocks to give back once the frames in them were delivered. */
  #released: Buffer[] | undefined;
  #lastHeld: Buffer | undefined;
  /** Blocks that somebody holds, which the parser may not have released yet. */
  #held: Buffer[] | undefined;

  /** @param hasOffloadHeaders whether each frame stands behind one: on the batched wire */
  constructor(events: InboxEvents, blocks: BlockPool, maxFrameBytes: number, hasOffloadHeaders: boolean) {
    this.#events = events;
    this.#blocks = blocks;
    this.#maxFrameBytes = maxFrameBytes;
    this.#hasOffloadHeaders = hasOffloadHeaders;
  }

  /** Adds a frame that a binary message carries. */
  push(bytes: Buffer, start: number, length: number): void {
    if (length < HEADER_BYTES) {
      this.#runts++;
      return;
    }
    if (length > this.#maxFrameBytes) {
      this.#tooLong++;
      return;
    }
    if (this.#batch !== undefined && this.#batch.bytes !== bytes) this.#deliverBatch(this.#batch);
    this.#batch ??= spareBatches.pop() ?? new FrameBatch(NOTHING);
    this.#batch.bytes = bytes;
    this.#batch.hasOffloadHeaders = this.#hasOffloadHeaders;
    this.#batch.push(start, length);
  }

  /** Whether frames in these octets were held by whom they were delivered to, and perhaps still are. */
  isHeld(bytes: Buffer): boolean {
    return this.#lastHeld === bytes;
  }

  /** Hands on what the chunk gave. */
  deliver(): void {
    this.#lastHeld = undefined;
    if (this.#batch !== undefined) this.#deliverBatch(this.#batch);
    if (this.#released !== undefined) {
      for (const block of this.#released) {
        if (this.#held?.includes(block) !== true) this.#blocks.release(block);
      }
      this.#released = undefined;
    }
    this.#held = undefined;
    if (this.#runts > 0) this.#events.discarded('runt', this.#runts);
    if (this.#tooLong > 0) this.#events.discarded('tooLong', this.#tooLong);
    this.#runts = 0;
    this.#tooLong = 0;
  }

  take(bytes: number): Buffer {
    return this.#blocks.take(bytes);
  }

  release(block: Buffer): void {
    this.#released ??= [];
    this.#released.push(block);
  }

  #deliverBatch(batch: FrameBatch): void {
    this.#batch = undefined;
    this.#events.receive(batch);
    if (batch.holds > 0) {
      // Batch and bytes are left to whoever holds them, and to the garbage collector.
      this.#held ??= [];
      this.#held.push(batch.bytes);
      this.#lastHeld = batch.bytes;
      return;
    }
    batch.clear();
    batch.bytes = NOTHING;
    if (spareBatches.length < KEPT_BATCHES) spareBatches.push(batch);
  }
}
