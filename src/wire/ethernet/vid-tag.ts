import { ETHER_TYPE } from './ethernet-frame.ts';
import { type Tpid, tagOf } from './tag.ts';
import { TAG_BYTES } from './transport-header.ts';
import type { Vid } from './vid.ts';

/** A copy of an untagged frame with a tag of this VID, priority 0 (IEEE 802.1Q-2022, 9.6). */
export function withTag(frame: Uint8Array, tpid: Tpid, vid: Vid): Buffer {
  const tagged = Buffer.alloc(frame.length + TAG_BYTES);
  tagged.set(frame.subarray(0, ETHER_TYPE), 0);
  tagged.writeUInt32BE(tagOf(tpid, 0, vid), ETHER_TYPE);
  tagged.set(frame.subarray(ETHER_TYPE), ETHER_TYPE + TAG_BYTES);
  return tagged;
}
