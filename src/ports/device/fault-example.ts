import { nativeAddon } from '../../native/addon.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import { OFFLOAD_HEADER_BYTES } from '../../wire/offload/virtio-header.ts';

/** As in native/datapath/tally.h. */
const EXAMPLE_FRAME_BYTES = 118;

const bytes = Buffer.alloc(OFFLOAD_HEADER_BYTES + EXAMPLE_FRAME_BYTES);

/**
 * The frame that native code dropped last for this reason; undefined where it has
 * none to show. Its bytes are overwritten by the next call.
 * @param reason an index into TALLY_REASONS
 */
export function takeFaultExample(reason: number): FrameExample | undefined {
  const length = nativeAddon().takeFaultExample(reason, bytes);
  if (length === 0) return undefined;
  const captured = Math.min(length, EXAMPLE_FRAME_BYTES);
  return { bytes, start: OFFLOAD_HEADER_BYTES, captured, length, hasOffloadHeader: true };
}
