import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, word } from '../ethernet/transport-header.ts';
import { fold, sumOf } from '../offload/checksum.ts';
import { readIgmp } from './igmp.ts';
import { readMld } from './mld.ts';
import type { MulticastKind, MulticastPacket } from './multicast-packet.ts';

const PROTOCOL_IGMP = 2;
const PROTOCOL_PIM = 103;
const PROTOCOL_ICMPV6 = 58;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
/** 224.0.0.13 and ff02::d, to which PIM routers send (RFC 7761, 4.3.1). */
const ALL_PIM_ROUTERS = 13;
/** Version 2 and type 0, a hello (RFC 7761, 4.9). */
const PIM_HELLO = 0x20;

/** Reads the IPv4 packet at `at`. IGMP may come with a router alert option (RFC 3376, 4) or without. */
export function readIpv4(packet: MulticastPacket, at: number, end: number): MulticastKind {
  const { bytes } = packet;
  if (end < at + IPV4_HEADER_BYTES) return 'foreign';
  const protocol = bytes[at + 9] as number;
  packet.source.readIpv4(bytes, at + 12);
  packet.destination.readIpv4(bytes, at + 16);
  const isMessage = protocol === PROTOCOL_IGMP;
  if (!isMessage && !packet.destination.isGroup) return 'foreign';
  if (!isMessage && protocol !== PROTOCOL_PIM) return 'data';
  const headerBytes = ((bytes[at] as number) & 0xf) * 4;
  const totalBytes = word(bytes, at + 2);
  const isSound =
    (bytes[at] as number) >>> 4 === 4 &&
    headerBytes >= IPV4_HEADER_BYTES &&
    totalBytes >= headerBytes &&
    at + totalBytes <= end &&
    fold(sumOf(bytes, at, at + headerBytes)) === 0xffff;
  if (!isSound) return isMessage ? 'malformed' : 'data';
  // A fragment has no whole message, and none is ever that long (RFC 791, 3.1).
  if ((word(bytes, at + 6) & 0x3fff) !== 0) return isMessage ? 'foreign' : 'data';
  packet.at = at + headerBytes;
  packet.end = at + totalBytes;
  if (isMessage) return readIgmp(packet);
  return packet.destination.isLocalIpv4(ALL_PIM_ROUTERS) ? pimKind(packet) : 'data';
}

/** Reads the IPv6 packet at `at`. A message of MLD stands behind a hop-by-hop header (RFC 3810, 5); others are not MLD. */
export function readIpv6(packet: MulticastPacket, at: number, end: number): MulticastKind {
  const { bytes } = packet;
  if (end < at + IPV6_HEADER_BYTES || (bytes[at] as number) >>> 4 !== 6) return 'foreign';
  packet.addressesAt = at + 8;
  packet.source.readIpv6(bytes, at + 8);
  packet.destination.readIpv6(bytes, at + 24);
  if (!packet.destination.isGroup) return 'foreign';
  let next = bytes[at + 6] as number;
  const isPim = next === PROTOCOL_PIM && packet.destination.isLinkScope(ALL_PIM_ROUTERS);
  if (next !== HOP_BY_HOP && !isPim) return 'data';
  packet.end = at + IPV6_HEADER_BYTES + word(bytes, at + 4);
  if (packet.end > end) return isPim ? 'data' : 'malformed';
  let header = at + IPV6_HEADER_BYTES;
  while (next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS) {
    if (header + 8 > packet.end) return 'data';
    next = bytes[header] as number;
    header += ((bytes[header + 1] as number) + 1) * 8;
    if (header > packet.end) return 'data';
  }
  packet.at = header;
  if (isPim) return pimKind(packet);
  return next === PROTOCOL_ICMPV6 ? readMld(packet) : 'data';
}

function pimKind({ bytes, at, end }: MulticastPacket): MulticastKind {
  return end >= at + 4 && bytes[at] === PIM_HELLO ? 'router' : 'data';
}
