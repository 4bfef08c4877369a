import { nativeAddon } from '../../native/addon.ts';
import { RECORD_HEADER_BYTES, SLAB_FRONT_BYTES, TALLY_REASONS } from '../../native/devices.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';

/** The most frames that one wake-up delivers: enough to amortize the call, few enough not to delay other ports. */
export const BATCH_FRAMES = 256;
/**
 * Four of the largest records. Measured with 60 000-octet frames that are copied on, a frame costs 14 µs in such a
 * slab, 16 to 18 µs in one of 1 MiB, which no longer fits into the cache, and 16 µs when each comes by itself.
 */
const SLAB_BYTES = SLAB_FRONT_BYTES + 4 * (RECORD_HEADER_BYTES + MAX_SUPER_FRAME_BYTES + 4);

let slab: FrameBatch | undefined;
/** The drops of the most recent call of the addon, of any device, in frames by reason. */
export const tally: Uint32Array = new Uint32Array(TALLY_REASONS.length);

/**
 * The slab that device reads go into. Delivery is synchronous, so one slab serves all devices of the process and stays
 * in the processor cache.
 */
export function deviceSlab(): FrameBatch {
  slab ??= createSlab();
  return slab;
}

function createSlab(): FrameBatch {
  // Unpooled, and not zeroed: the kernel writes before anything is read.
  const batch = new FrameBatch(Buffer.allocUnsafeSlow(SLAB_BYTES), BATCH_FRAMES);
  batch.hasOffloadHeaders = true;
  nativeAddon().shareDeviceSlab(batch.bytes, batch.starts, batch.lengths, tally);
  return batch;
}
