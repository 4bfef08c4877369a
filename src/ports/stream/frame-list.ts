import type { NativeAddon } from '../../native/addon.ts';

/** More than the shortest frames in a message of the longest, and in what is read behind it. */
const MAX_FRAMES = 96 * 1024;

/** Where frames lie that native code has found in what a tunnel got, for as long as it tells of them. */
export interface FrameList {
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

let list: FrameList | undefined;

/** The list of this process, known to the addon. */
export function frameList(addon: NativeAddon): FrameList {
  if (list !== undefined) return list;
  list = { starts: words(MAX_FRAMES), lengths: words(MAX_FRAMES) };
  addon.shareFrameList(list.starts, list.lengths);
  return list;
}

/** Not zeroed: most of it is never touched, and so never there. */
function words(count: number): Uint32Array {
  return new Uint32Array(Buffer.allocUnsafeSlow(count * Uint32Array.BYTES_PER_ELEMENT).buffer);
}
