import { BLOCKS, type BlockPool } from './block-pool.ts';
import { READ_BYTES, RECEIVE_SLABS, type ReceiveSlabs, type Slab } from './receive-slabs.ts';
import type { TransportEvents } from './transport.ts';

/** An unfinished message below this size is copied out of the slab, so that the slab is free. */
const WORTH_KEEPING_BYTES = 16 * 1024;
/** When less room than this is left behind the unfinished message, the message moves to the slab's front. */
const WORTH_READING_BYTES = 64 * 1024;

/** The octets of an unfinished message. */
interface Carried {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** The kept slab that contains them; undefined: they are in a block of the pool. */
  readonly slab: Slab | undefined;
}

/** Room for a read: `slab.bytes[to .. most)`, behind the unfinished message, which begins at `from`. */
interface Room {
  readonly slab: Slab;
  readonly from: number;
  readonly to: number;
  readonly most: number;
}

/**
 * Assembles the octets of a stream so that each message is contiguous, mostly
 * without copying: reads go behind the unfinished message, into a slab of the
 * process. A tunnel without an unfinished message holds no memory.
 */
export class Assembly {
  readonly #events: Pick<TransportEvents, 'received'>;
  readonly #slabs: ReceiveSlabs;
  readonly #blocks: BlockPool;
  #carried: Carried | undefined;
  #isClosed = false;

  /** @param slabs, and `blocks`: the sources of its memory; default: those of the process */
  constructor(
    events: Pick<TransportEvents, 'received'>,
    slabs: ReceiveSlabs = RECEIVE_SLABS,
    blocks: BlockPool = BLOCKS,
  ) {
    this.#events = events;
    this.#slabs = slabs;
    this.#blocks = blocks;
  }

  /** Octets of the block that contains an unfinished message; 0 when there is none. */
  get heldBytes(): number {
    return this.#carried === undefined || this.#carried.slab !== undefined ? 0 : this.#carried.bytes.length;
  }

  /** Delivers a copy of these octets; they still belong to the caller. */
  take(bytes: Buffer, count: number): void {
    for (let at = 0; at < count && !this.#isClosed; ) {
      const room = this.room();
      const length = Math.min(count - at, room.most - room.to);
      bytes.copy(room.slab.bytes, room.to, at, at + length);
      this.filled(room, length);
      at += length;
    }
  }

  /** Room for the next read. Each room must be given back by `filled`. */
  room(): Room {
    const { slab, from, to } = this.#place();
    return { slab, from, to, most: Math.min(slab.bytes.length, to + READ_BYTES) };
  }

  /** Delivers what was read into a room: `count` octets. */
  filled(room: Room, count: number): void {
    const { slab, from } = room;
    const end = room.to + count;
    const consumed = count > 0 ? this.#events.received(slab.bytes, from, end) : from;
    if (end - consumed >= WORTH_KEEPING_BYTES && !this.#isClosed && this.#slabs.keep(slab)) {
      this.#carried = { bytes: slab.bytes, from: consumed, to: end, slab };
      return;
    }
    this.#keepCopy(slab.bytes, consumed, end);
    this.#slabs.release(slab);
  }

  /** Drops the unfinished message and delivers nothing more. May be called from inside a delivery. */
  close(): void {
    this.#isClosed = true;
    const carried = this.#carried;
    this.#carried = undefined;
    if (carried?.slab !== undefined) this.#slabs.release(carried.slab);
    else if (carried !== undefined) this.#blocks.release(carried.bytes);
  }

  #place(): { slab: Slab; from: number; to: number } {
    const carried = this.#carried;
    this.#carried = undefined;
    if (carried === undefined) return { slab: this.#slabs.take(), from: 0, to: 0 };
    const { bytes, from, to } = carried;
    const slab = carried.slab ?? this.#slabs.take();
    if (carried.slab !== undefined && bytes.length - to >= WORTH_READING_BYTES) return { slab, from, to };
    bytes.copy(slab.bytes, 0, from, to);
    if (carried.slab === undefined) this.#blocks.release(bytes);
    return { slab, from: 0, to: to - from };
  }

  #keepCopy(bytes: Buffer, from: number, to: number): void {
    if (to === from || this.#isClosed) return;
    const block = this.#blocks.take(to - from);
    bytes.copy(block, 0, from, to);
    this.#carried = { bytes: block, from: 0, to: to - from, slab: undefined };
  }
}
