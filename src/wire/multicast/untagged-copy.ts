import { ETHER_TYPE, ETHER_TYPE_C_TAG } from '../ethernet/ethernet-frame.ts';
import { TAG_BYTES, word } from '../ethernet/transport-header.ts';

/** A copy of the frame at `start`, which is at least a header long, without its outer C-TAG. */
export function untaggedCopy(bytes: Uint8Array, start: number, length: number): Buffer {
  const end = start + length;
  const isTagged = length > ETHER_TYPE + TAG_BYTES && word(bytes, start + ETHER_TYPE) === ETHER_TYPE_C_TAG;
  const rest = start + ETHER_TYPE + (isTagged ? TAG_BYTES : 0);
  return Buffer.concat([bytes.subarray(start, start + ETHER_TYPE), bytes.subarray(rest, end)]);
}
