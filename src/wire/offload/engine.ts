import type { FrameBatch } from '../ethernet/frame-batch.ts';
import { checkOffload } from './check.ts';
import { Layers } from './encapsulation.ts';
import { type FinishFailure, finishFrame } from './gso.ts';
import {
  markEncapsulated,
  OFFLOAD_HEADER_BYTES,
  type OffloadFault,
  type Offloads,
  writeHeaderBytes,
} from './virtio-header.ts';

/**
 * Software offload: checksums and segmentation. There are two engines with equal results, octet by
 * octet (tests compare them): the one below, and one in C (native/offload), which the composition
 * root passes in when the addon is built.
 */
export interface OffloadEngine {
  /**
   * Checks the offload header of frame `index` against the frame. The owner of a batch
   * from an untrusted peer calls it before it delivers the batch. It overwrites
   * hdr_len with the true length of the headers, and sets or clears FLAG_ENCAPSULATED,
   * which `neededOffloads` relies on.
   *
   * @returns the first contradiction; the frame is then a `badOffload` discard
   */
  check(batch: FrameBatch, index: number): OffloadFault | undefined;

  /**
   * Appends to `out` the finished frames of frame `index`: the segments of a
   * super-frame, by its gso_size; or the frame with its checksum completed; or a
   * plain copy. The frame itself is not changed.
   *
   * Each finished frame is appended as `[4 free octets][10-octet offload header, zero][frame]`, and `out` is
   * marked as having offload headers.
   * A slab of MAX_FINISHED_BYTES has room for the finished frames of any one frame.
   *
   * @param offloads those of the egress, by default none. With OFFLOAD_USO and OFFLOAD_CHECKSUM, segments inside
   *   of one outer UDP header that has a checksum are appended as UDP super-frames, with offload headers
   * @returns why nothing was appended; after `queueFull` call again with an empty `out`
   */
  finish(batch: FrameBatch, index: number, out: FrameBatch, offloads?: Offloads): FinishFailure | undefined;
}

const found = new Layers();

/** The engine in TypeScript: the reference, and the fallback without the addon. */
export const portableEngine: OffloadEngine = {
  check(batch, index) {
    if (!batch.hasOffloadHeaders) return undefined;
    const start = batch.starts[index] as number;
    const header = start - OFFLOAD_HEADER_BYTES;
    const fault = checkOffload(batch.bytes, start, batch.lengths[index] as number, header, found);
    if (fault !== undefined) return fault;
    // `payloadStart` is 0 for a frame that is no super-frame; the kernel writes 0 there, too.
    writeHeaderBytes(batch.bytes, header, found.inner.payloadStart);
    markEncapsulated(batch.bytes, header, found.isEncapsulated);
    return undefined;
  },
  finish: finishFrame,
};
