import type { FrameBatch } from '../ethernet/frame-batch.ts';
import { OFFLOAD_HEADER_BYTES } from './virtio-header.ts';

/**
 * The octets in front of each frame that an offload engine appends: four free ones, in which a
 * tunnel can write the length of its record, and the offload header.
 */
export const RECORD_LEAD_BYTES: number = 4 + OFFLOAD_HEADER_BYTES;

/** The position behind the last frame. */
export function endOf(out: FrameBatch): number {
  const last = out.count - 1;
  return last < 0 ? 0 : (out.starts[last] as number) + (out.lengths[last] as number);
}

/** Zeroes the offload header of the next record. @returns where its frame starts */
export function beginRecord(out: FrameBatch): number {
  const at = endOf(out) + RECORD_LEAD_BYTES;
  out.bytes.fill(0, at - OFFLOAD_HEADER_BYTES, at);
  return at;
}
