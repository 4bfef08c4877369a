import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { statedLength, type TagAllowance, tagBytesOf } from '../../wire/ethernet/frame-length.ts';
import {
  GSO_NONE,
  neededOffloads,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_NONE,
  type Offloads,
} from '../../wire/offload/virtio-header.ts';

/** What a device takes. */
export interface DeviceLimits {
  readonly maxFrameBytes: number;
  readonly tagAllowance: TagAllowance;
  readonly offloads: Offloads;
}

/**
 * How much of a frame beyond `maxFrameBytes` is written: all of it under tags or as a super-frame; of a frame with
 * padding behind it, what its payload states; -1: it does not fit.
 */
export function fittedLength(batch: FrameBatch, index: number, device: DeviceLimits): number {
  const { bytes } = batch;
  const length = batch.lengths[index] as number;
  const start = batch.starts[index] as number;
  const longest = device.maxFrameBytes + tagBytesOf(bytes, start, length, device.tagAllowance);
  if (length <= longest) return length;
  if (batch.hasOffloadHeaders && neededOffloads(bytes, start - OFFLOAD_HEADER_BYTES) !== OFFLOAD_NONE) {
    const isSuperFrame = bytes[start - OFFLOAD_HEADER_BYTES + 1] !== GSO_NONE;
    return isSuperFrame && device.offloads !== OFFLOAD_NONE && length <= MAX_SUPER_FRAME_BYTES ? length : -1;
  }
  // Some relays send every frame at the full length of a buffer.
  const stated = statedLength(bytes, start, length);
  return stated <= longest ? stated : -1;
}
