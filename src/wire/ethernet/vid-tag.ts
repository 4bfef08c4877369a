import { ETHER_TYPE, ETHER_TYPE_C_TAG } from './ethernet-frame.ts';
import { TAG_BYTES, writeWord } from './transport-header.ts';
import type { Vid } from './vid.ts';

/** A copy of an untagged frame with a C-TAG of this VID, priority 0 (IEEE 802.1Q-2022, 9.6). */
export function withTag(frame: Uint8Array, vid: Vid): Buffer {
  const tagged = Buffer.alloc(frame.length + TAG_BYTES);
  tagged.set(frame.subarray(0, ETHER_TYPE), 0);
  writeWord(tagged, ETHER_TYPE, ETHER_TYPE_C_TAG);
  writeWord(tagged, ETHER_TYPE + 2, vid);
  tagged.set(frame.subarray(ETHER_TYPE), ETHER_TYPE + TAG_BYTES);
  return tagged;
}
