import type { NativeAddon } from '../../native/addon.ts';

/** More than the number of shortest frames that fit in the longest message and one read behind it. */
const MAX_FRAMES = 96 * 1024;

/** The positions of the frames that native code has found in received octets; valid during one `arrived` call. */
export interface FrameList {
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

let list: FrameList | undefined;

/** The list of this process, which the addon writes to. */
export function frameList(addon: NativeAddon): FrameList {
  if (list !== undefined) return list;
  list = { starts: words(MAX_FRAMES), lengths: words(MAX_FRAMES) };
  addon.shareFrameList(list.starts, list.lengths);
  return list;
}

/** Not zeroed: pages that are never touched take no memory. */
function words(count: number): Uint32Array {
  return new Uint32Array(Buffer.allocUnsafeSlow(count * Uint32Array.BYTES_PER_ELEMENT).buffer);
}
