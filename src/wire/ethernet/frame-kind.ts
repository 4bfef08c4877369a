import { ETHER_TYPE, HEADER_BYTES } from './ethernet-frame.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isTag,
  MAX_TAGS,
  PROTOCOL_UDP,
  TAG_BYTES,
  word,
} from './transport-header.ts';

/**
 * The kinds of frame that an ingress policy can forbid. `unreadable`: the headers
 * are truncated before the kind is known, so a policy that forbids any kind
 * discards the frame, too (RFC 7113, 3).
 */
export type FrameKind = 'dhcpServer' | 'routerAdvertisement' | 'unreadable' | 'other';

const ICMPV6 = 58;
const ROUTER_ADVERTISEMENT = 134;
const DHCPV4_SERVER = 67;
const DHCPV6_SERVER = 547;
/** The next header of a fragment header (RFC 8200, 4.5). */
export const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** Hop-by-hop, routing, destination options, mobility, HIP, shim6: next header, length in units of 8 octets, … */
const EXTENSIONS: readonly number[] = [0, 43, 60, 135, 139, 140];
/** RFC 8200, 4.1 allows each extension header once, destination options twice. A longer chain may be an evasion. */
export const MAX_EXTENSIONS = 8;

/** The offset of the EtherType behind at most two tags, from the frame's start; 0 when the frame ends before it. */
export function innerTypeAt(bytes: Uint8Array, start: number, length: number): number {
  let at = ETHER_TYPE;
  for (let tags = 0; tags < MAX_TAGS; tags++) {
    const type = word(bytes, start + at);
    if (!isTag(type)) return at;
    at += TAG_BYTES;
    if (length < at + 2) return 0;
  }
  return at;
}

/** The EtherType behind at most two tags; a length (below 0x600) for 802.3 frames, -1 when the frame ends in its tags. */
export function innerEtherType(bytes: Uint8Array, start: number, length: number): number {
  const at = innerTypeAt(bytes, start, length);
  return at === 0 ? -1 : word(bytes, start + at);
}

/** @param length at least HEADER_BYTES */
export function kindOf(bytes: Uint8Array, start: number, length: number): FrameKind {
  if (length < HEADER_BYTES) return 'unreadable';
  const typeAt = innerTypeAt(bytes, start, length);
  if (typeAt === 0) return 'unreadable';
  const type = word(bytes, start + typeAt);
  const end = start + length;
  const network = start + typeAt + 2;
  if (type === ETHER_TYPE_IPV4) return kindOfIpv4(bytes, network, end);
  if (type === ETHER_TYPE_IPV6) return kindOfIpv6(bytes, network, end);
  return isTag(type) ? 'unreadable' : 'other';
}

function kindOfIpv4(bytes: Uint8Array, at: number, end: number): FrameKind {
  if (end < at + IPV4_HEADER_BYTES) return 'unreadable';
  if (bytes[at + 9] !== PROTOCOL_UDP) return 'other';
  // Only the first fragment has ports.
  if ((word(bytes, at + 6) & 0x1fff) !== 0) return 'other';
  const headerBytes = ((bytes[at] as number) & 0xf) * 4;
  return headerBytes < IPV4_HEADER_BYTES ? 'unreadable' : kindOfUdp(bytes, at + headerBytes, end, DHCPV4_SERVER);
}

function kindOfIpv6(bytes: Uint8Array, start: number, end: number): FrameKind {
  if (end < start + IPV6_HEADER_BYTES) return 'unreadable';
  let next = bytes[start + 6] as number;
  let at = start + IPV6_HEADER_BYTES;
  for (let extensions = 0; ; extensions++) {
    if (next === ICMPV6) {
      if (end < at + 1) return 'unreadable';
      return bytes[at] === ROUTER_ADVERTISEMENT ? 'routerAdvertisement' : 'other';
    }
    if (next === PROTOCOL_UDP) return kindOfUdp(bytes, at, end, DHCPV6_SERVER);
    if (!isExtension(next)) return 'other';
    if (extensions === MAX_EXTENSIONS || end < at + 8) return 'unreadable';
    // A later fragment: the ports are in the first one.
    if (next === FRAGMENT && (word(bytes, at + 2) & 0xfff8) !== 0) return 'other';
    const octets = extensionBytes(bytes, at, next);
    next = bytes[at] as number;
    at += octets;
  }
}

/** Whether an extension header of IPv6 that has a next header has this number. */
export function isExtension(next: number): boolean {
  return next === FRAGMENT || next === AUTHENTICATION || EXTENSIONS.includes(next);
}

/** The length of the extension header `kind` at `at`, in octets; its first two octets are there. */
export function extensionBytes(bytes: Uint8Array, at: number, kind: number): number {
  const size = bytes[at + 1] as number;
  if (kind === FRAGMENT) return 8;
  return kind === AUTHENTICATION ? (size + 2) * 4 : (size + 1) * 8;
}

function kindOfUdp(bytes: Uint8Array, at: number, end: number, serverPort: number): FrameKind {
  if (end < at + 2) return 'unreadable';
  return word(bytes, at) === serverPort ? 'dhcpServer' : 'other';
}
