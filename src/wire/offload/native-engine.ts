import type { FrameBatch } from '../ethernet/frame-batch.ts';
import { MAX_SEGMENTS } from './check.ts';
import { type OffloadEngine, portableEngine } from './engine.ts';
import { type FinishFailure, segmentCount } from './gso.ts';
import { endOf } from './records.ts';
import {
  GSO_NONE,
  gsoSizeOf,
  gsoTypeOf,
  neededOffloads,
  OFFLOAD_FAULTS,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_NONE,
  type OffloadFault,
  type Offloads,
} from './virtio-header.ts';

/**
 * The offload functions of the addon. Fault n is element n - 1 of OFFLOAD_FAULTS; the
 * number after the last one means that the slab is full. The arguments `out…` are the
 * batch that is appended to.
 */
export interface OffloadAddon {
  /** @returns 0, or the fault; overwrites hdr_len, and sets or clears FLAG_ENCAPSULATED */
  checkOffload(bytes: Uint8Array, start: number, length: number): number;
  /** @returns how many frames were appended, or the negated fault */
  finishFrame(
    bytes: Uint8Array,
    start: number,
    length: number,
    hasOffloadHeader: boolean,
    offloads: Offloads,
    outBytes: Uint8Array,
    outEnd: number,
    outStarts: Uint32Array,
    outLengths: Uint32Array,
    outCount: number,
  ): number;
}

/** The engine in C. Its results equal those of portableEngine, octet by octet. */
export function nativeEngine(addon: OffloadAddon): OffloadEngine {
  return {
    check(batch, index) {
      if (!batch.hasOffloadHeaders) return undefined;
      const start = batch.starts[index] as number;
      const headerStart = start - OFFLOAD_HEADER_BYTES;
      // For a frame that is no super-frame the check is shorter than a native call.
      if (gsoTypeOf(batch.bytes, headerStart) === GSO_NONE) return portableEngine.check(batch, index);
      return faultOf(addon.checkOffload(batch.bytes, start, batch.lengths[index] as number));
    },

    finish(batch, index, out, offloads = OFFLOAD_NONE) {
      const start = batch.starts[index] as number;
      const length = batch.lengths[index] as number;
      out.reserve(mostFrames(batch, start, length));
      const appended = addon.finishFrame(
        batch.bytes,
        start,
        length,
        batch.hasOffloadHeaders,
        offloads,
        out.bytes,
        endOf(out),
        out.starts,
        out.lengths,
        out.count,
      );
      if (appended < 0) return failureOf(-appended);
      out.hasOffloadHeaders = true;
      out.count += appended;
      return undefined;
    },
  };
}

/** An upper bound of the finished frames, according to the offload header. */
function mostFrames(batch: FrameBatch, start: number, length: number): number {
  const header = start - OFFLOAD_HEADER_BYTES;
  if (!batch.hasOffloadHeaders || neededOffloads(batch.bytes, header) === OFFLOAD_NONE) return 1;
  const gsoSize = gsoSizeOf(batch.bytes, header);
  return gsoSize === 0 ? 1 : Math.min(MAX_SEGMENTS, segmentCount(length, gsoSize));
}

function faultOf(number: number): OffloadFault | undefined {
  return number === 0 ? undefined : OFFLOAD_FAULTS[number - 1];
}

function failureOf(number: number): FinishFailure {
  return number > OFFLOAD_FAULTS.length ? 'queueFull' : 'badOffload';
}
