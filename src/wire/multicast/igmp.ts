import { word } from '../ethernet/transport-header.ts';
import { fold, sumOf } from '../offload/checksum.ts';
import type { MulticastKind, MulticastPacket } from './multicast-packet.ts';
import { valueOfCode8 } from './response-code.ts';

/** The types of IGMP messages (RFC 3376, 4; RFC 4286, 3.2 and 5.2). */
export const IGMP_QUERY = 0x11;
export const IGMP_V1_REPORT = 0x12;
export const IGMP_V2_REPORT = 0x16;
export const IGMP_LEAVE = 0x17;
export const IGMP_V3_REPORT = 0x22;
export const IGMP_ROUTER_ADVERTISEMENT = 0x30;
export const IGMP_ROUTER_TERMINATION = 0x32;

/** The length of a message of IGMPv1 and IGMPv2, and that of a query of IGMPv3 without sources. */
const MESSAGE_BYTES = 8;
const V3_QUERY_BYTES = 12;
/** 224.0.0.1, to which a general query goes (RFC 3376, 4.1.12), and 224.0.0.106 (RFC 4286, 3.1.2). */
const ALL_SYSTEMS = 1;
const ALL_SNOOPERS = 106;
/** The time that an IGMPv1 querier gives (RFC 2236, 4). */
const V1_RESPONSE_MS = 10_000;

/** Reads an IGMP message, of version 1 (RFC 1112, appendix I), 2 (RFC 2236) or 3 (RFC 3376). */
export function readIgmp(packet: MulticastPacket): MulticastKind {
  const { bytes, at, end } = packet;
  const length = end - at;
  if (length < MESSAGE_BYTES || fold(sumOf(bytes, at, end)) !== 0xffff) return 'malformed';
  packet.group.readIpv4(bytes, at + 4);
  packet.sources = 0;
  packet.version = 2;
  switch (bytes[at]) {
    case IGMP_QUERY:
      return readQuery(packet, length);
    case IGMP_V1_REPORT:
      packet.version = 1;
      return packet.group.isGroup ? 'report' : 'malformed';
    case IGMP_V2_REPORT:
      return packet.group.isGroup ? 'report' : 'malformed';
    case IGMP_LEAVE:
      return packet.group.isGroup ? 'leave' : 'malformed';
    case IGMP_V3_REPORT:
      packet.version = 3;
      return packet.hasRecords(at + 8, word(bytes, at + 6)) ? 'records' : 'malformed';
    case IGMP_ROUTER_ADVERTISEMENT:
      return packet.destination.isLocalIpv4(ALL_SNOOPERS) ? 'router' : 'foreign';
    case IGMP_ROUTER_TERMINATION:
      return packet.destination.isLocalIpv4(ALL_SNOOPERS) ? 'routerGone' : 'foreign';
    default:
      return 'foreign';
  }
}

/** The versions differ in their lengths, and IGMPv1 has no Max Resp Time (RFC 3376, 7.1). */
function readQuery(packet: MulticastPacket, length: number): MulticastKind {
  const { bytes, at, group } = packet;
  const code = bytes[at + 1] as number;
  packet.isSuppressing = false;
  if (length === MESSAGE_BYTES) {
    packet.version = code === 0 ? 1 : 2;
    packet.maxResponseMs = code === 0 ? V1_RESPONSE_MS : code * 100;
    if (code === 0) group.clear(4);
  } else {
    // Of a message that is shorter than 12 octets these are behind its end, and it is too short for any number of sources.
    packet.version = 3;
    packet.maxResponseMs = valueOfCode8(code) * 100;
    packet.isSuppressing = ((bytes[at + 8] as number) & 8) !== 0;
    packet.sources = word(bytes, at + 10);
    packet.sourcesAt = at + V3_QUERY_BYTES;
    if (length < V3_QUERY_BYTES + 4 * packet.sources) return 'malformed';
  }
  if (group.isUnspecified) return packet.destination.isLocalIpv4(ALL_SYSTEMS) ? 'query' : 'malformed';
  return group.isGroup ? 'query' : 'malformed';
}
