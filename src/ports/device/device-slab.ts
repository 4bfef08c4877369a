import { nativeAddon } from '../../native/addon.ts';
import { RECORD_HEADER_BYTES, SLAB_FRONT_BYTES, TALLY_REASONS } from '../../native/devices.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';

/** Frames a wake-up delivers at most: enough to pay for the call, few enough to let other ports have their turn. */
export const BATCH_FRAMES = 256;
/**
 * Four of the largest records. Measured with 60 000-octet frames that are copied on, a frame costs 14 µs in such a
 * slab, 16 to 18 µs in one of 1 MiB, which no longer fits into the cache, and 16 µs when each comes by itself.
 */
const SLAB_BYTES = SLAB_FRONT_BYTES + 4 * (RECORD_HEADER_BYTES + MAX_SUPER_FRAME_BYTES + 4);

let slab: FrameBatch | undefined;
/** What was dropped by the call before, for whichever device. */
export const tally: Uint32Array = new Uint32Array(TALLY_REASONS.length);

/** What devices are read into. Delivery is synchronous: one serves all devices of the process, and stays in the cache. */
export function deviceSlab(): FrameBatch {
  slab ??= createSlab();
  return slab;
}

function createSlab(): FrameBatch {
  // Not from Node's pool, and not zeroed: the kernel writes before anything is read.
  const batch = new FrameBatch(Buffer.allocUnsafeSlow(SLAB_BYTES), BATCH_FRAMES);
  batch.hasOffloadHeaders = true;
  nativeAddon().shareDeviceSlab(batch.bytes, batch.starts, batch.lengths, tally);
  return batch;
}
