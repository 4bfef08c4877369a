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

/** The limits of a device for frames that are written. */
export interface DeviceLimits {
  readonly maxFrameBytes: number;
  readonly tagAllowance: TagAllowance;
  readonly offloads: Offloads;
}

/**
 * How many octets are written of a frame longer than `maxFrameBytes`: all when the excess is VLAN tags or the frame is
 * a super-frame; the length that the IP header states when the rest is padding; -1 when the frame does not fit.
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
  // Some relays pad every frame to the length of their buffer.
  const stated = statedLength(bytes, start, length);
  return stated <= longest ? stated : -1;
}
