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
 * What the addon offers for offload. Faults are numbered as in OFFLOAD_FAULTS,
 * from 1; the number behind the last of them is a slab without room. The last
 * five arguments are the batch that is appended to.
 */
export interface OffloadAddon {
  /** @returns 0, or the fault; makes hdr_len true */
  checkOffload(bytes: Uint8Array, start: number, length: number): number;
  /** @returns how many frames were appended, or less than 0: the fault, negative */
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

/** The engine in native code; the same as portableEngine, octet by octet. */
export function nativeEngine(addon: OffloadAddon): OffloadEngine {
  return {
    check(batch, index) {
      if (!batch.hasOffloadHeaders) return undefined;
      const start = batch.starts[index] as number;
      const headerStart = start - OFFLOAD_HEADER_BYTES;
      // Of a frame by itself only two numbers are to be compared: less work than a call.
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

/** No less than the frames that this one can become, by what its header claims. */
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
