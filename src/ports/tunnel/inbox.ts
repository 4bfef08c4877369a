import type { DiscardReason } from '../../bridge/port.ts';
import { HEADER_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import type { Memory } from '../../wire/websocket/parser.ts';
import type { BlockPool } from '../stream/block-pool.ts';
import type { RawPeer } from './raw-peer.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const KEPT_BATCHES = 8;
/** Free batches. All tunnels share them; an idle tunnel holds none. */
const spareBatches: FrameBatch[] = [];

export interface InboxEvents {
  receive(batch: FrameBatch): void;
  discarded(reason: DiscardReason, frames: number, example?: FrameExample): void;
}

/**
 * The ingress side of a tunnel: collects the frames of one read in one batch, and
 * frees the memory of reassembled messages after delivery.
 */
export class Inbox implements Memory {
  readonly #events: InboxEvents;
  readonly #blocks: BlockPool;
  readonly #maxFrameBytes: number;
  readonly #hasOffloadHeaders: boolean;
  #batch: FrameBatch | undefined;
  readonly #rawPeer: RawPeer | undefined;
  #heldBytes = 0;
  #runts = 0;
  #echoed = 0;
  /** A block to free after delivery: it contains the frames of the current batch. */
  #released: Buffer | undefined;

  /** @param rawPeer filters each frame on the raw wire; without it each frame follows an offload header */
  constructor(events: InboxEvents, blocks: BlockPool, maxFrameBytes: number, rawPeer?: RawPeer) {
    this.#events = events;
    this.#blocks = blocks;
    this.#maxFrameBytes = maxFrameBytes;
    this.#rawPeer = rawPeer;
    this.#hasOffloadHeaders = rawPeer === undefined;
  }

  /** Adds a frame of a binary message. */
  push(bytes: Buffer, start: number, length: number): void {
    if (length < HEADER_BYTES) {
      this.#runts++;
      return;
    }
    if (length > this.#maxFrameBytes) {
      const hasOffloadHeader = this.#hasOffloadHeaders;
      this.#events.discarded('tooLong', 1, { bytes, start, captured: length, length, hasOffloadHeader });
      return;
    }
    const refusal = this.#rawPeer?.refusalOf(bytes, start, length);
    if (refusal !== undefined) {
      if (refusal === 'echoed') this.#echoed++;
      return;
    }
    if (this.#batch !== undefined && this.#batch.bytes !== bytes) this.#deliverBatch(this.#batch);
    this.#batch ??= spareBatches.pop() ?? new FrameBatch(NOTHING);
    this.#batch.bytes = bytes;
    this.#batch.hasOffloadHeaders = this.#hasOffloadHeaders;
    this.#batch.push(start, length);
  }

  /** Delivers the frames of the read. */
  deliver(): void {
    if (this.#batch !== undefined) this.#deliverBatch(this.#batch);
    if (this.#runts > 0) this.#events.discarded('runt', this.#runts);
    if (this.#echoed > 0) this.#events.discarded('echoed', this.#echoed);
    this.#runts = 0;
    this.#echoed = 0;
  }

  /** Octets of the blocks that contain unfinished messages. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  take(bytes: number): Buffer {
    const block = this.#blocks.take(bytes);
    this.#heldBytes += block.length;
    return block;
  }

  release(block: Buffer): void {
    this.#heldBytes -= block.length;
    // At most one block waits: a read full of tiny fragmented messages must not hold a block for each.
    if (this.#batch?.bytes === block) this.#released = block;
    else this.#blocks.release(block);
  }

  #deliverBatch(batch: FrameBatch): void {
    this.#batch = undefined;
    this.#events.receive(batch);
    if (this.#released !== undefined) this.#blocks.release(this.#released);
    this.#released = undefined;
    batch.clear();
    batch.bytes = NOTHING;
    if (spareBatches.length < KEPT_BATCHES) spareBatches.push(batch);
  }
}
