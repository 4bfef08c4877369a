import { BLOCKS, type BlockPool } from './block-pool.ts';
import { READ_BYTES, RECEIVE_SLABS, type ReceiveSlabs, type Slab } from './receive-slabs.ts';
import type { TransportEvents } from './transport.ts';

/** What is kept of an unfinished message is copied out of the slab below this size. */
const WORTH_KEEPING_BYTES = 16 * 1024;
/** With less room than this behind what is kept, it moves to the slab's front first. */
const WORTH_READING_BYTES = 64 * 1024;

/** Octets that belong to a message whose end is still to come. */
interface Carried {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** The slab that they lie in and that is kept; undefined: a block of the pool. */
  readonly slab: Slab | undefined;
}

/** Room for a read: `slab.bytes[to .. most)`, behind what was carried over from `from` on. */
interface Room {
  readonly slab: Slab;
  readonly from: number;
  readonly to: number;
  readonly most: number;
}

/**
 * Puts the octets of a stream where its messages lie whole, mostly without
 * copying them: reads go behind what is unfinished, in a slab of the process.
 * A tunnel that is not in the middle of a message owns nothing.
 */
export class Assembly {
  readonly #events: Pick<TransportEvents, 'received'>;
  readonly #slabs: ReceiveSlabs;
  readonly #blocks: BlockPool;
  #carried: Carried | undefined;
  #isClosed = false;

  /** @param slabs and `blocks`: where its memory comes from; default: those of the process */
  constructor(
    events: Pick<TransportEvents, 'received'>,
    slabs: ReceiveSlabs = RECEIVE_SLABS,
    blocks: BlockPool = BLOCKS,
  ) {
    this.#events = events;
    this.#slabs = slabs;
    this.#blocks = blocks;
  }

  /** Octets of the block that an unfinished message lies in. */
  get heldBytes(): number {
    return this.#carried === undefined || this.#carried.slab !== undefined ? 0 : this.#carried.bytes.length;
  }

  /** Delivers octets that lie somewhere else, by a copy: they stay the caller's. */
  take(bytes: Buffer, count: number): void {
    for (let at = 0; at < count && !this.#isClosed; ) {
      const room = this.room();
      const length = Math.min(count - at, room.most - room.to);
      bytes.copy(room.slab.bytes, room.to, at, at + length);
      this.filled(room, length);
      at += length;
    }
  }

  /** Where to read to. Each room must be given back by `filled`. */
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

  /** Forgets what is unfinished, and delivers nothing more; also from inside a delivery. */
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
