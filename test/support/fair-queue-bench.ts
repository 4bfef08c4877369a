import assert from 'node:assert/strict';
import { BlockPool } from '../../src/ports/stream/block-pool.ts';
import { type FairQueueDiscard, type FairQueueOptions, FqCodel } from '../../src/ports/stream/fq-codel.ts';
import { batchOf, FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { RECORD_LEAD_BYTES } from '../../src/wire/tunnel/tunnel-message.ts';

const PORT_AT = 14 + 20 + 2;
const SERIAL_AT = 14 + 20 + 8;
/** The shortest frame of a bench. */
export const MIN_BYTES: number = SERIAL_AT + 4;
/** The default limit of a bench. */
export const QUEUE_BYTES: number = 1024 * 1024;

/** A pool that records which blocks are in use. */
export class WatchedPool extends BlockPool {
  readonly out: Set<Buffer> = new Set();

  override take(bytes: number): Buffer {
    const block = super.take(bytes);
    this.out.add(block);
    return block;
  }

  override release(block: Buffer): void {
    assert.ok(this.out.delete(block), 'a block is released once');
    super.release(block);
  }

  get outBytes(): number {
    let bytes = 0;
    for (const block of this.out) bytes += block.length;
    return bytes;
  }
}

/** A fair queue, with frames that contain their flow and serial number. */
export class Bench {
  readonly pool: WatchedPool = new WatchedPool();
  readonly queue: FqCodel;
  readonly drops: Record<FairQueueDiscard, number> = { queueDelay: 0, queueFull: 0 };
  readonly slab: FrameBatch;
  #serial = 0;

  constructor(options: Partial<FairQueueOptions> = {}, slabBytes: number = 256 * 1024) {
    this.slab = new FrameBatch(Buffer.alloc(slabBytes));
    this.queue = new FqCodel({
      queueBytes: QUEUE_BYTES,
      blocks: this.pool,
      seed: 1,
      dropped: (reason, frames) => {
        assert.ok(frames > 0);
        this.drops[reason] += frames;
      },
      ...options,
    });
  }

  /** Queues a UDP frame, whose flow is its destination port. @returns its serial number */
  put(flow: number, nowMs: number, length = 1514): number {
    this.queue.enqueue(batchOf(frameOf(flow, this.#serial, length)), 0, nowMs);
    return this.#serial++;
  }

  /** Takes frames from the queue once. */
  take(nowMs: number, maxBytes: number = Number.POSITIVE_INFINITY): { flow: number; serial: number; bytes: number }[] {
    this.slab.clear();
    this.queue.dequeue(this.slab, maxBytes, nowMs);
    return Array.from({ length: this.slab.count }, (_, index) => {
      const frame = this.slab.frame(index);
      return {
        flow: frame.readUInt16BE(PORT_AT),
        serial: frame.readUInt32BE(SERIAL_AT),
        bytes: RECORD_LEAD_BYTES + frame.length,
      };
    });
  }
}

/** A frame of UDP to the port `flow`, filled with the low octet of its number. */
export function frameOf(flow: number, serial: number, length: number): Buffer {
  const frame = Buffer.alloc(Math.max(length, MIN_BYTES), serial);
  frame.fill(0, 0, SERIAL_AT);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame[14 + 9] = 17;
  frame.writeUInt16BE(flow, PORT_AT);
  frame.writeUInt32BE(serial, SERIAL_AT);
  return frame;
}
