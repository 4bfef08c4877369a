import { ETHER_TYPE } from '../ethernet/ethernet-frame.ts';
import { TPID_C_TAG, type Tpid, tciOf } from '../ethernet/tag.ts';
import { TAG_BYTES } from '../ethernet/transport-header.ts';

/** A copy of the frame at `start`, which is at least a header long, without its outer tag of this kind. */
export function untaggedCopy(bytes: Uint8Array, start: number, length: number, tpid: Tpid = TPID_C_TAG): Buffer {
  const rest = start + ETHER_TYPE + (tciOf(bytes, start, length, tpid) >= 0 ? TAG_BYTES : 0);
  return Buffer.concat([bytes.subarray(start, start + ETHER_TYPE), bytes.subarray(rest, start + length)]);
}
