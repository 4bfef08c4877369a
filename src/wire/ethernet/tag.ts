import { ETHER_TYPE, etherTypeOf } from './ethernet-frame.ts';
import { isTag, TAG_BYTES, word } from './transport-header.ts';
import type { Vid } from './vid.ts';

/** The TPID of a C-TAG, of customers' VLANs (IEEE 802.1Q-2022, table 9-1). */
export const TPID_C_TAG = 0x8100;
/** The TPID of an S-TAG, of a provider's VLANs: the outer one of 802.1ad (QinQ). */
export const TPID_S_TAG = 0x88a8;
export type Tpid = typeof TPID_C_TAG | typeof TPID_S_TAG;

/** The answer of `tciOf` for a frame whose outer tag is not of this kind. */
export const NO_TAG = -1;
/** The answer of `tciOf` for a frame that ends inside of the tag, or in front of the EtherType behind it. */
export const CUT_TAG = -2;

/** Addresses, one tag and an EtherType, in octets. */
const TAGGED_HEADER_BYTES = ETHER_TYPE + TAG_BYTES + 2;
/** PCP and DEI in a TCI (IEEE 802.1Q-2022, 9.6). */
const PRIORITY_MASK = 0xf000;

/**
 * The control information (TCI: PCP, DEI, VID) of the outer tag, if its TPID is `tpid`.
 * @param length at least HEADER_BYTES
 * @returns 0 to 0xffff, NO_TAG or CUT_TAG
 */
export function tciOf(bytes: Uint8Array, start: number, length: number, tpid: Tpid): number {
  if (etherTypeOf(bytes, start) !== tpid) return NO_TAG;
  return length < TAGGED_HEADER_BYTES ? CUT_TAG : word(bytes, start + ETHER_TYPE + 2);
}

/**
 * The four octets of a tag as one number.
 * @param tci PCP and DEI are taken from it; NO_TAG: both are 0
 */
export function tagOf(tpid: Tpid, tci: number, vid: Vid): number {
  const priority = tci < 0 ? 0 : tci & PRIORITY_MASK;
  return tpid * 0x1_0000 + (priority | vid);
}

/** The number of tags of either kind that a frame begins with, up to `most`. */
export function countTags(bytes: Uint8Array, start: number, length: number, most: number): number {
  let tags = 0;
  for (let at = ETHER_TYPE; tags < most && at + TAG_BYTES + 2 <= length; at += TAG_BYTES) {
    if (!isTag(word(bytes, start + at))) break;
    tags++;
  }
  return tags;
}
