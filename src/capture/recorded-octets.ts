import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { writeWord } from '../wire/ethernet/transport-header.ts';
import { checksumOf, sumOf } from '../wire/offload/checksum.ts';
import {
  checksumOffsetOf,
  checksumStartOf,
  FLAG_ENCAPSULATED,
  FLAG_NEEDS_CSUM,
  flagsOf,
  OFFLOAD_HEADER_BYTES,
} from '../wire/offload/virtio-header.ts';

/**
 * A copy of the first octets of frame `index`. A partial checksum is completed, that of a super-frame as of one long
 * packet, so that programs that read the capture report no wrong checksums. Not in a frame that is cut, whose checksum
 * they cannot check, nor inside of an encapsulation.
 * @param most limit of octets; 0: none
 */
export function recordedOctets(batch: FrameBatch, index: number, most: number): Buffer {
  const start = batch.starts[index] as number;
  const length = batch.lengths[index] as number;
  const isCut = most > 0 && most < length;
  const octets = Buffer.from(batch.bytes.subarray(start, start + (isCut ? most : length)));
  if (!isCut && batch.hasOffloadHeaders) complete(octets, batch.bytes, start - OFFLOAD_HEADER_BYTES);
  return octets;
}

/** @param header the offload header, which may contradict the frame */
function complete(octets: Buffer, slab: Uint8Array, header: number): void {
  if ((flagsOf(slab, header) & (FLAG_NEEDS_CSUM | FLAG_ENCAPSULATED)) !== FLAG_NEEDS_CSUM) return;
  const start = checksumStartOf(slab, header);
  const at = start + checksumOffsetOf(slab, header);
  if (at + 2 > octets.length) return;
  // In UDP, 0 means "no checksum"; a sum of 0 is sent as 0xffff (RFC 768).
  writeWord(octets, at, checksumOf(sumOf(octets, start, octets.length)) || 0xffff);
}
