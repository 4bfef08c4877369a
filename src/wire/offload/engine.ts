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
 * Software offload: checksums and segmentation. There are two engines: the one below, and the same in C
 * (native/offload), which the composition root hands in where the addon is
 * built. Tests keep them equal, octet by octet.
 */
export interface OffloadEngine {
  /**
   * Compares the offload header of frame `index` with its bytes. To be called by
   * the owner of a batch from an untrusted peer, before it delivers the batch.
   * The one field that cannot be checked, hdr_len, is made true, and so is our
   * mark FLAG_ENCAPSULATED: `neededOffloads` does not know about encapsulations before.
   *
   * @returns the first contradiction: the frame is a `badOffload` discard
   */
  check(batch: FrameBatch, index: number): OffloadFault | undefined;

  /**
   * Appends to `out` the finished frames that frame `index` stands for: the
   * segments of a super-frame by its own gso_size, or the frame with its checksum
   * completed, or a plain copy. The frame itself is not changed.
   *
   * `out` gets records of `[4 free octets][10-octet zero offload header][frame]`
   * one behind the other, behind those that it holds. A slab of
   * MAX_FINISHED_BYTES takes what any one frame can become.
   *
   * @param offloads what the egress takes, default nothing: with OFFLOAD_USO and OFFLOAD_CHECKSUM segments inside of one
   *   outer UDP header that has a checksum are appended as datagram super-frames, whose offload headers say so
   * @returns why nothing was appended; after `queueFull` try again with an empty `out`
   */
  finish(batch: FrameBatch, index: number, out: FrameBatch, offloads?: Offloads): FinishFailure | undefined;
}

const found = new Layers();

/** The engine without native code: the reference, and the fallback. */
export const portableEngine: OffloadEngine = {
  check(batch, index) {
    if (!batch.hasOffloadHeaders) return undefined;
    const start = batch.starts[index] as number;
    const header = start - OFFLOAD_HEADER_BYTES;
    const fault = checkOffload(batch.bytes, start, batch.lengths[index] as number, header, found);
    if (fault !== undefined) return fault;
    // Of a frame that is no super-frame nothing was looked for, and 0 is what the kernel itself says there.
    writeHeaderBytes(batch.bytes, header, found.inner.payloadStart);
    markEncapsulated(batch.bytes, header, found.isEncapsulated);
    return undefined;
  },
  finish: finishFrame,
};
