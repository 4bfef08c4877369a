import { OFFLOAD_HEADER_BYTES } from '../offload/virtio-header.ts';

/** Serial numbers are unique in the process, also between batches. */
let lastSerial = 0;

/**
 * The frames that an ingress port read at once: views into one slab of bytes.
 *
 * Frame `i` is `bytes[starts[i] .. starts[i] + lengths[i])`. When
 * `hasOffloadHeaders`, the ten octets in front of each frame are its virtio-net
 * header (virtio-header.ts); otherwise no frame of the batch needs an offload and the
 * octets in front of it mean nothing.
 *
 * Ownership: the port that delivers a batch owns it and its slab, and uses both
 * again as soon as `receive` returns. The bytes are read-only for all other code,
 * which copies what it keeps longer.
 */
export class FrameBatch {
  bytes: Buffer;
  starts: Uint32Array;
  lengths: Uint32Array;
  count = 0;
  hasOffloadHeaders = false;
  /** Changes with the contents. The key of caches of work done for these frames, such as encoded messages. */
  serial: number = ++lastSerial;

  /**
   * @param bytes the slab; the batch refers to it and does not copy it
   * @param capacity how many frames the batch has room for before `push` grows it
   */
  constructor(bytes: Buffer, capacity = 64) {
    this.bytes = bytes;
    this.starts = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
  }

  /** Grows `starts` and `lengths` to take `frames` more, for callers that write to them directly. */
  reserve(frames: number): void {
    if (this.count + frames <= this.starts.length) return;
    const capacity = Math.max(8, this.starts.length * 2, this.count + frames);
    this.starts = grown(this.starts, capacity);
    this.lengths = grown(this.lengths, capacity);
  }

  /** Adds the frame at `start`, `length` octets long, already in `bytes`. */
  push(start: number, length: number): void {
    this.reserve(1);
    this.starts[this.count] = start;
    this.lengths[this.count] = length;
    this.count++;
  }

  clear(): void {
    this.count = 0;
    this.renew();
  }

  /** Takes a new serial number. To be called after a direct change of the contents. */
  renew(): void {
    this.serial = ++lastSerial;
  }

  /** A view of frame `index`, without its offload header. Valid as long as the batch's contents. */
  frame(index: number): Buffer {
    const start = this.starts[index] as number;
    return this.bytes.subarray(start, start + (this.lengths[index] as number));
  }

  /** A view of the offload header of frame `index`; only when `hasOffloadHeaders`. */
  offloadHeader(index: number): Buffer {
    const start = this.starts[index] as number;
    return this.bytes.subarray(start - OFFLOAD_HEADER_BYTES, start);
  }
}

/** A batch of copies of these frames, contiguous, without offload headers. */
export function batchOf(...frames: readonly Uint8Array[]): FrameBatch {
  const batch = new FrameBatch(Buffer.concat(frames), Math.max(1, frames.length));
  let start = 0;
  for (const frame of frames) {
    batch.push(start, frame.length);
    start += frame.length;
  }
  return batch;
}

function grown(old: Uint32Array, capacity: number): Uint32Array {
  const larger = new Uint32Array(capacity);
  larger.set(old);
  return larger;
}
