import { extensionBytes, FRAGMENT, innerTypeAt, isExtension, MAX_EXTENSIONS } from '../ethernet/frame-kind.ts';
import { type MacAddress, readMacAddress } from '../ethernet/mac-address.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isTag,
  PROTOCOL_UDP,
  word,
} from '../ethernet/transport-header.ts';

/** By which protocol a frame says that its sender has an IP address. */
export type ClaimedBy = 'ipv4' | 'ipv6' | 'arp' | 'nd';

/** The IP address that a frame says its sender has. */
export interface ClaimedSource {
  readonly by: ClaimedBy;
  /** The address as Latin-1 text of its 4 or 16 octets, to be the key of a Map. */
  readonly address: string;
  /** The link-layer address that an ARP packet or an option of ND gives; undefined without one. */
  readonly mac: MacAddress | undefined;
  /** Whether the frame may have no address yet: a DHCP client, an ARP probe, duplicate address detection, MLD. */
  readonly isBeginner: boolean;
}

const ETHER_TYPE_ARP = 0x0806;
const ARP_BYTES = 28;
const ICMPV6 = 58;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const REDIRECT = 137;
const SOURCE_LINK_LAYER = 1;
const TARGET_LINK_LAYER = 2;

/** No address yet: 0.0.0.0 (RFC 1122, 3.2.1.3), and `::` (RFC 4291, 2.5.2). */
export const NO_IPV4 = '\0'.repeat(4);
export const NO_IPV6 = '\0'.repeat(16);

/**
 * Reads the claim of a frame of IPv4, ARP, IPv6 or neighbour discovery, behind at most two tags.
 * @param length at least HEADER_BYTES
 * @returns undefined for other protocols; `unreadable` for a frame that is truncated, or that has more tags
 */
export function readClaimedSource(
  bytes: Uint8Array,
  start: number,
  length: number,
): ClaimedSource | 'unreadable' | undefined {
  const typeAt = innerTypeAt(bytes, start, length);
  if (typeAt === 0) return 'unreadable';
  const type = word(bytes, start + typeAt);
  const at = start + typeAt + 2;
  const end = start + length;
  if (type === ETHER_TYPE_IPV4) return claimOfIpv4(bytes, at, end);
  if (type === ETHER_TYPE_ARP) return claimOfArp(bytes, at, end);
  if (type === ETHER_TYPE_IPV6) return claimOfIpv6(bytes, at, end);
  return isTag(type) ? 'unreadable' : undefined;
}

function claimOfIpv4(bytes: Uint8Array, at: number, end: number): ClaimedSource | 'unreadable' {
  if (at + IPV4_HEADER_BYTES > end) return 'unreadable';
  const headerBytes = ((bytes[at] as number) & 0xf) * 4;
  const udp = at + headerBytes;
  const isDhcpClient =
    bytes[at + 9] === PROTOCOL_UDP &&
    (word(bytes, at + 6) & 0x1fff) === 0 &&
    udp + 4 <= end &&
    word(bytes, udp) === 68 &&
    word(bytes, udp + 2) === 67;
  return { by: 'ipv4', address: text(bytes, at + 12, 4), mac: undefined, isBeginner: isDhcpClient };
}

/** ARP for IPv4 on Ethernet (RFC 826); a probe has the sender 0.0.0.0 (RFC 5227, 2.1.1). */
function claimOfArp(bytes: Uint8Array, at: number, end: number): ClaimedSource | 'unreadable' {
  if (at + ARP_BYTES > end || word(bytes, at) !== 1 || word(bytes, at + 2) !== ETHER_TYPE_IPV4) return 'unreadable';
  if (bytes[at + 4] !== 6 || bytes[at + 5] !== 4) return 'unreadable';
  return { by: 'arp', address: text(bytes, at + 14, 4), mac: readMacAddress(bytes, at + 8), isBeginner: true };
}

/** Hosts take neighbour discovery behind any extension headers, so all are passed over (as for RA guard, RFC 7113, 3). */
function claimOfIpv6(bytes: Uint8Array, at: number, end: number): ClaimedSource | 'unreadable' {
  if (at + IPV6_HEADER_BYTES > end) return 'unreadable';
  const address = text(bytes, at + 8, 16);
  let next = bytes[at + 6] as number;
  let icmp = at + IPV6_HEADER_BYTES;
  let isFragment = false;
  for (let extensions = 0; isExtension(next); extensions++) {
    if (extensions === MAX_EXTENSIONS || icmp + 8 > end) return 'unreadable';
    isFragment ||= next === FRAGMENT;
    // The headers of a later fragment are in the first one.
    if (next === FRAGMENT && (word(bytes, icmp + 2) & 0xfff8) !== 0) break;
    const octets = extensionBytes(bytes, icmp, next);
    next = bytes[icmp] as number;
    icmp += octets;
  }
  const data: ClaimedSource = { by: 'ipv6', address, mac: undefined, isBeginner: next === ICMPV6 };
  if (next !== ICMPV6) return data;
  if (icmp + 4 > end) return 'unreadable';
  const kind = bytes[icmp] as number;
  if (kind < ROUTER_SOLICITATION || kind > REDIRECT) return data;
  // Hosts ignore neighbour discovery in fragments (RFC 6980, 5), whose options may be in another one.
  return isFragment ? 'unreadable' : claimOfNeighbour(bytes, icmp, end, kind, address);
}

/** Neighbour discovery (RFC 4861, 4): solicitations claim their source, advertisements and DAD (RFC 4862) their target. */
function claimOfNeighbour(
  bytes: Uint8Array,
  icmp: number,
  end: number,
  kind: number,
  source: string,
): ClaimedSource | 'unreadable' {
  const hasTarget = kind === NEIGHBOUR_SOLICITATION || kind === NEIGHBOUR_ADVERTISEMENT;
  if (hasTarget && icmp + 24 > end) return 'unreadable';
  const isDetection = kind === NEIGHBOUR_SOLICITATION && source === NO_IPV6;
  const address = kind === NEIGHBOUR_ADVERTISEMENT || isDetection ? text(bytes, icmp + 8, 16) : source;
  const fixed = kind === ROUTER_SOLICITATION ? 8 : kind === ROUTER_ADVERTISEMENT ? 16 : 24;
  const wanted = kind === NEIGHBOUR_ADVERTISEMENT ? TARGET_LINK_LAYER : SOURCE_LINK_LAYER;
  // The target's address in a redirect is another station's.
  const mac = kind === REDIRECT ? undefined : linkLayerOption(bytes, icmp + fixed, end, wanted);
  return { by: 'nd', address, mac, isBeginner: true };
}

function linkLayerOption(bytes: Uint8Array, from: number, end: number, wanted: number): MacAddress | undefined {
  for (let at = from; at + 8 <= end; ) {
    const units = bytes[at + 1] as number;
    if (units === 0) return undefined;
    if (bytes[at] === wanted) return readMacAddress(bytes, at + 2);
    at += units * 8;
  }
  return undefined;
}

/** Without an object but the text itself: frames of guarded ports are judged one by one. */
function text(bytes: Uint8Array, at: number, length: number): string {
  let result = '';
  for (let offset = 0; offset < length; offset++) result += String.fromCharCode(bytes[at + offset] as number);
  return result;
}
