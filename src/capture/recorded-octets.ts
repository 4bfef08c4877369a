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
 * A copy of the first octets of frame `index`. A frame whose checksum is only begun gets it completed, a super-frame as
 * one long packet: so programs that read the capture find no wrong checksums, at the price of one sum. Not where the
 * frame is cut, since they cannot check it then, nor inside of an encapsulation.
 * @param most octets; 0: all
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
  // UDP reads 0 as "no checksum" (RFC 768).
  writeWord(octets, at, checksumOf(sumOf(octets, start, octets.length)) || 0xffff);
}
