import { word } from '../ethernet/transport-header.ts';
import { fold, pseudoHeaderSum, sumOf } from '../offload/checksum.ts';
import type { MulticastKind, MulticastPacket } from './multicast-packet.ts';
import { valueOfCode16 } from './response-code.ts';

/** The types of ICMPv6 that are messages of MLD (RFC 3810, 5) and of multicast router discovery (RFC 4286). */
export const MLD_QUERY = 130;
export const MLD_V1_REPORT = 131;
export const MLD_DONE = 132;
export const MLD_V2_REPORT = 143;
export const MLD_ROUTER_ADVERTISEMENT = 151;
export const MLD_ROUTER_TERMINATION = 153;

const PROTOCOL_ICMPV6 = 58;
/** The length of a message of MLDv1, and that of a query of MLDv2 without sources. */
const MESSAGE_BYTES = 24;
const V2_QUERY_BYTES = 28;
const V2_REPORT_BYTES = 8;
/** The shortest message: an advertisement has 8 octets, a termination 4. */
const LEAST_BYTES = 4;
/** ff02::1, to which a general query goes (RFC 3810, 5.1.15), and ff02::6a (RFC 4286, 3.1.2). */
const ALL_NODES = 1;
const ALL_SNOOPERS = 0x6a;

/** Reads an ICMPv6 message: one of MLDv1 (RFC 2710) or MLDv2 (RFC 3810), of router discovery, or another one (`data`). */
export function readMld(packet: MulticastPacket): MulticastKind {
  const { bytes, at, end } = packet;
  if (end < at + LEAST_BYTES) return 'malformed';
  switch (bytes[at]) {
    case MLD_QUERY:
      return isIntact(packet, MESSAGE_BYTES) ? readQuery(packet) : 'malformed';
    case MLD_V1_REPORT:
      return readOneGroup(packet, 'report');
    case MLD_DONE:
      return readOneGroup(packet, 'leave');
    case MLD_V2_REPORT: {
      packet.version = 2;
      const isWhole = isIntact(packet, V2_REPORT_BYTES);
      return isWhole && packet.hasRecords(at + 8, word(bytes, at + 6)) ? 'records' : 'malformed';
    }
    case MLD_ROUTER_ADVERTISEMENT:
      return readDiscovery(packet, 'router');
    case MLD_ROUTER_TERMINATION:
      return readDiscovery(packet, 'routerGone');
    default:
      return 'data';
  }
}

function readOneGroup(packet: MulticastPacket, kind: 'report' | 'leave'): MulticastKind {
  if (!isIntact(packet, MESSAGE_BYTES)) return 'malformed';
  packet.version = 1;
  packet.sources = 0;
  packet.group.readIpv6(packet.bytes, packet.at + 8);
  return packet.group.isGroup ? kind : 'malformed';
}

function readDiscovery(packet: MulticastPacket, kind: 'router' | 'routerGone'): MulticastKind {
  if (!packet.destination.isLinkScope(ALL_SNOOPERS)) return 'data';
  return isIntact(packet, LEAST_BYTES) ? kind : 'malformed';
}

/** The versions differ in their lengths (RFC 3810, 8.1). The source must be link-local (RFC 3810, 5.1.14). */
function readQuery(packet: MulticastPacket): MulticastKind {
  const { bytes, at, end, group } = packet;
  const code = word(bytes, at + 4);
  const length = end - at;
  group.readIpv6(bytes, at + 8);
  packet.sources = 0;
  packet.isSuppressing = false;
  if (length === MESSAGE_BYTES) {
    packet.version = 1;
    packet.maxResponseMs = code;
  } else {
    // Of a message that is shorter than 28 octets these are behind its end, and it is too short for any number of sources.
    packet.version = 2;
    packet.maxResponseMs = valueOfCode16(code);
    packet.isSuppressing = ((bytes[at + 24] as number) & 8) !== 0;
    packet.sources = word(bytes, at + 26);
    packet.sourcesAt = at + V2_QUERY_BYTES;
    if (length < V2_QUERY_BYTES + 16 * packet.sources) return 'malformed';
  }
  if (!packet.source.isLinkLocal) return 'malformed';
  if (group.isUnspecified) return packet.destination.isLinkScope(ALL_NODES) ? 'query' : 'malformed';
  return group.isGroup ? 'query' : 'malformed';
}

function isIntact(packet: MulticastPacket, leastBytes: number): boolean {
  const { bytes, at, end, addressesAt } = packet;
  if (end < at + leastBytes) return false;
  return fold(sumOf(bytes, at, end, pseudoHeaderSum(bytes, addressesAt, 16, PROTOCOL_ICMPV6, end - at))) === 0xffff;
}
