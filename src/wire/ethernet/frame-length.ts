import { ETHER_TYPE, ETHER_TYPE_C_TAG, etherTypeOf, HEADER_BYTES } from './ethernet-frame.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isTag,
  MAX_TAGS,
  TAG_BYTES,
  word,
} from './transport-header.ts';

/** An S-TAG and a C-TAG, in octets. */
export const MAX_TAGS_BYTES: number = MAX_TAGS * TAG_BYTES;

const ETHER_TYPE_ARP = 0x0806;
/** An EtherType up to here is the length of what follows (IEEE 802.3-2022, 3.2.6). */
const MAX_LENGTH_FIELD = 1500;
/** The shortest payload of an 802.3 frame: two LLC addresses and a control field (ISO/IEC 8802-2). */
const LLC_HEADER_BYTES = 3;
const ARP_HEADER_BYTES = 8;

/**
 * Which tags an egress port takes on top of its longest untagged frame. The values equal those in
 * native/datapath/flow_table.h.
 */
export const TAGS_NONE = 0;
/** One C-TAG: what the kernel lets a packet socket send. */
export const TAGS_ONE_CUSTOMER = 1;
/** Up to two tags, of either kind. */
export const TAGS_STACKED = 2;
export type TagAllowance = typeof TAGS_NONE | typeof TAGS_ONE_CUSTOMER | typeof TAGS_STACKED;

/** How many octets the tags of this frame may add to the longest untagged frame: 0, 4 or 8. */
export function tagBytesOf(bytes: Uint8Array, start: number, length: number, allowance: TagAllowance): number {
  if (allowance === TAGS_NONE || length < HEADER_BYTES + TAG_BYTES) return 0;
  const outer = etherTypeOf(bytes, start);
  if (allowance === TAGS_ONE_CUSTOMER) return outer === ETHER_TYPE_C_TAG ? TAG_BYTES : 0;
  if (!isTag(outer)) return 0;
  if (length < HEADER_BYTES + MAX_TAGS_BYTES) return TAG_BYTES;
  return isTag(etherTypeOf(bytes, start + TAG_BYTES)) ? MAX_TAGS_BYTES : TAG_BYTES;
}

/**
 * The length of a frame up to the end that IPv4 (RFC 791, 3.1), IPv6 (RFC 8200, 3), ARP (RFC 826) or the length
 * field of IEEE 802.3 states. Octets behind that are padding.
 * @returns `length` when no header states an end, or states one beyond the frame
 */
export function statedLength(bytes: Uint8Array, start: number, length: number): number {
  let at = ETHER_TYPE;
  while (at < ETHER_TYPE + MAX_TAGS_BYTES && at + TAG_BYTES + 2 <= length && isTag(word(bytes, start + at))) {
    at += TAG_BYTES;
  }
  const payload = at + 2;
  if (payload > length) return length;
  const stated = statedPayload(word(bytes, start + at), bytes, start + payload, length - payload);
  return stated === undefined || payload + stated > length ? length : payload + stated;
}

function statedPayload(type: number, bytes: Uint8Array, start: number, length: number): number | undefined {
  if (type <= MAX_LENGTH_FIELD) return type < LLC_HEADER_BYTES ? undefined : type;
  switch (type) {
    case ETHER_TYPE_IPV4: {
      if (length < IPV4_HEADER_BYTES || (bytes[start] as number) >> 4 !== 4) return undefined;
      const total = word(bytes, start + 2);
      return total < IPV4_HEADER_BYTES ? undefined : total;
    }
    case ETHER_TYPE_IPV6: {
      if (length < IPV6_HEADER_BYTES || (bytes[start] as number) >> 4 !== 6) return undefined;
      const payload = word(bytes, start + 4);
      // Zero in a jumbogram (RFC 2675, 3), which has its length in an option.
      return payload === 0 ? undefined : IPV6_HEADER_BYTES + payload;
    }
    case ETHER_TYPE_ARP:
      if (length < ARP_HEADER_BYTES) return undefined;
      return ARP_HEADER_BYTES + 2 * (bytes[start + 4] as number) + 2 * (bytes[start + 5] as number);
    default:
      return undefined;
  }
}
