import { nativeAddon } from '../../native/addon.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import { OFFLOAD_HEADER_BYTES } from '../../wire/offload/virtio-header.ts';

/** As in native/datapath/tally.h. */
const EXAMPLE_FRAME_BYTES = 118;

const bytes = Buffer.alloc(OFFLOAD_HEADER_BYTES + EXAMPLE_FRAME_BYTES);

/**
 * The last frame that native code dropped for this reason; undefined when it has
 * kept none. The next call overwrites its bytes.
 * @param reason an index into TALLY_REASONS
 */
export function takeFaultExample(reason: number): FrameExample | undefined {
  const length = nativeAddon().takeFaultExample(reason, bytes);
  if (length === 0) return undefined;
  const captured = Math.min(length, EXAMPLE_FRAME_BYTES);
  return { bytes, start: OFFLOAD_HEADER_BYTES, captured, length, hasOffloadHeader: true };
}
