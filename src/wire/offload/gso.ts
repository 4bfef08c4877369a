import { MAX_SUPER_FRAME_BYTES } from '../ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../ethernet/frame-batch.ts';
import { writeWord } from '../ethernet/transport-header.ts';
import { checkOffload, MAX_HEADER_BYTES, MAX_SEGMENTS } from './check.ts';
import { checksumOf, sumOf } from './checksum.ts';
import { Layers } from './encapsulation.ts';
import { writeSegmentHeaders } from './gso-headers.ts';
import { packSegments, segmentsInPack } from './gso-packing.ts';
import { beginRecord, endOf, RECORD_LEAD_BYTES } from './records.ts';
import {
  checksumOffsetOf,
  checksumStartOf,
  GSO_NONE,
  gsoSizeOf,
  gsoTypeOf,
  headerBytesOf,
  neededOffloads,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_NONE,
  type Offloads,
} from './virtio-header.ts';

/** The size of a slab that has room for the finished frames of any one frame, in octets. */
export const MAX_FINISHED_BYTES: number = MAX_SEGMENTS * (RECORD_LEAD_BYTES + MAX_HEADER_BYTES) + MAX_SUPER_FRAME_BYTES;

/** Why a frame could not be finished: its offload header is wrong, or the slab is full. Both are reasons of discards. */
export type FinishFailure = 'badOffload' | 'queueFull';

const found = new Layers();

/**
 * `OffloadEngine.finish` in TypeScript.
 */
export function finishFrame(
  batch: FrameBatch,
  index: number,
  out: FrameBatch,
  offloads: Offloads = OFFLOAD_NONE,
): FinishFailure | undefined {
  const start = batch.starts[index] as number;
  const length = batch.lengths[index] as number;
  const headerStart = start - OFFLOAD_HEADER_BYTES;
  const needed = batch.hasOffloadHeaders ? neededOffloads(batch.bytes, headerStart) : OFFLOAD_NONE;
  if (needed !== OFFLOAD_NONE && checkOffload(batch.bytes, start, length, headerStart, found) !== undefined) {
    return 'badOffload';
  }
  out.hasOffloadHeaders = true;
  if (needed !== OFFLOAD_NONE && gsoTypeOf(batch.bytes, headerStart) !== GSO_NONE) {
    return segment(batch.bytes, start, length, gsoSizeOf(batch.bytes, headerStart), offloads, out);
  }
  if (!hasRoom(out, RECORD_LEAD_BYTES + length)) return 'queueFull';
  const at = beginRecord(out);
  out.bytes.set(batch.bytes.subarray(start, start + length), at);
  if (needed !== OFFLOAD_NONE) {
    const checksumStart = at + checksumStartOf(batch.bytes, headerStart);
    const checksumAt = checksumStart + checksumOffsetOf(batch.bytes, headerStart);
    // UDP reads 0 as "no checksum" (RFC 768); 0xffff is the same number in one's complement.
    writeWord(out.bytes, checksumAt, checksumOf(sumOf(out.bytes, checksumStart, at + length)) || 0xffff);
  }
  out.push(at, length);
  return undefined;
}

/** How many segments a payload makes; an empty payload makes one. */
export function segmentCount(payloadBytes: number, gsoSize: number): number {
  return Math.max(1, Math.ceil(payloadBytes / gsoSize));
}

/** The super-frame has been checked, and `found` has the positions of its headers. */
function segment(
  bytes: Buffer,
  start: number,
  length: number,
  gsoSize: number,
  offloads: Offloads,
  out: FrameBatch,
): FinishFailure | undefined {
  const headerBytes = found.inner.payloadStart;
  const payloadBytes = length - headerBytes;
  const count = segmentCount(payloadBytes, gsoSize);
  if (!hasRoom(out, count * (RECORD_LEAD_BYTES + headerBytes) + payloadBytes)) return 'queueFull';
  const most = segmentsInPack(bytes, start, gsoSize, found, offloads);
  if (most > 1 && count > 1) {
    packSegments(bytes, start, length, gsoSize, found, most, out);
    return undefined;
  }
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const from = ordinal * gsoSize;
    const piece = Math.min(gsoSize, payloadBytes - from);
    const at = beginRecord(out);
    out.bytes.set(bytes.subarray(start, start + headerBytes), at);
    out.bytes.set(bytes.subarray(start + headerBytes + from, start + headerBytes + from + piece), at + headerBytes);
    writeSegmentHeaders(out.bytes, at, headerBytes + piece, found, ordinal, from, ordinal === count - 1);
    out.push(at, headerBytes + piece);
  }
  return undefined;
}

function hasRoom(out: FrameBatch, octets: number): boolean {
  return endOf(out) + octets <= out.bytes.length;
}

/**
 * How many finished frames frame `index` makes, according to its offload header; for
 * counters. hdr_len must be correct, as `OffloadEngine.check` leaves it.
 */
export function framesIn(batch: FrameBatch, index: number): number {
  if (!batch.hasOffloadHeaders) return 1;
  const header = (batch.starts[index] as number) - OFFLOAD_HEADER_BYTES;
  if (gsoTypeOf(batch.bytes, header) === GSO_NONE) return 1;
  return segmentCount(
    (batch.lengths[index] as number) - headerBytesOf(batch.bytes, header),
    gsoSizeOf(batch.bytes, header),
  );
}
