import { ETHER_TYPE, HEADER_BYTES } from '../ethernet/ethernet-frame.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  writeWord,
} from '../ethernet/transport-header.ts';
import { checksumOf, pseudoHeaderSum, sumOf } from '../offload/checksum.ts';
import { IGMP_QUERY } from './igmp.ts';
import { IpWords } from './ip-words.ts';
import { MLD_QUERY } from './mld.ts';
import { code8Of, code16Of } from './response-code.ts';

/** What a query says (RFC 3376, 4.1; RFC 3810, 5.1). */
export interface Query {
  /** The group of a group-specific query; unspecified, in its family, for a general one. */
  readonly group: IpWords;
  readonly sourceMac: MacAddress;
  /** In the family of the group; 0.0.0.0 says that it is not the query of a router (RFC 4541, 2.1.1, rule 1). */
  readonly source: IpWords;
  readonly maxResponseMs: number;
  /** How many queries may be lost; 0 to 7. */
  readonly robustness: number;
  readonly queryIntervalMs: number;
  /** The sources of a group-and-source-specific query, in the family of the group; so few that the frame fits the MTU. */
  readonly sources?: readonly IpWords[] | undefined;
  /** The flag S: other routers are not to lower their timers (RFC 3376, 4.1.5; RFC 3810, 5.1.7). */
  readonly isSuppressing?: boolean | undefined;
}

/** An IPv4 header with the router alert option (RFC 2113), and an IPv6 header with a hop-by-hop header for it (RFC 2711). */
const IPV4_BYTES = IPV4_HEADER_BYTES + 4;
const IPV6_BYTES = IPV6_HEADER_BYTES + 8;
const IGMP_BYTES = 12;
const MLD_BYTES = 28;
const PROTOCOL_ICMPV6 = 58;

/** @returns a query of IGMPv3 or MLDv2, as an untagged frame of its own */
export function queryFrame(query: Query): Buffer {
  const { group, sources = [] } = query;
  const isIpv4 = group.family === 4;
  const packetBytes = isIpv4
    ? IPV4_BYTES + IGMP_BYTES + 4 * sources.length
    : IPV6_BYTES + MLD_BYTES + 16 * sources.length;
  const bytes = Buffer.alloc(HEADER_BYTES + packetBytes);
  const destination = group.isUnspecified ? allHosts(isIpv4) : group;
  bytes.writeUIntBE(destination.groupMac, 0, 6);
  bytes.writeUIntBE(query.sourceMac, 6, 6);
  writeWord(bytes, ETHER_TYPE, isIpv4 ? ETHER_TYPE_IPV4 : ETHER_TYPE_IPV6);
  if (isIpv4) writeIgmp(bytes, HEADER_BYTES, query, destination);
  else writeMld(bytes, HEADER_BYTES, query, destination);
  return bytes;
}

function writeIgmp(bytes: Buffer, at: number, query: Query, destination: IpWords): void {
  // Version and header length; internetwork control as its traffic class (RFC 3376, 4); do not fragment; TTL 1.
  bytes.set([0x46, 0xc0, 0, 0, 0, 0, 0x40, 0, 1, 2], at);
  writeWord(bytes, at + 2, bytes.length - at);
  query.source.write(bytes, at + 12);
  destination.write(bytes, at + 16);
  bytes.set([0x94, 4, 0, 0], at + IPV4_HEADER_BYTES);
  writeWord(bytes, at + 10, checksumOf(sumOf(bytes, at, at + IPV4_BYTES)));
  const message = at + IPV4_BYTES;
  bytes[message] = IGMP_QUERY;
  bytes[message + 1] = code8Of(Math.round(query.maxResponseMs / 100));
  query.group.write(bytes, message + 4);
  writeQuerier(bytes, message + 8, query);
  writeWord(bytes, message + 2, checksumOf(sumOf(bytes, message, bytes.length)));
}

function writeMld(bytes: Buffer, at: number, query: Query, destination: IpWords): void {
  bytes.set([0x60, 0, 0, 0, 0, 0, 0, 1], at);
  writeWord(bytes, at + 4, bytes.length - at - IPV6_HEADER_BYTES);
  query.source.write(bytes, at + 8);
  destination.write(bytes, at + 24);
  bytes.set([PROTOCOL_ICMPV6, 0, 5, 2, 0, 0, 1, 0], at + IPV6_HEADER_BYTES);
  const message = at + IPV6_BYTES;
  bytes[message] = MLD_QUERY;
  writeWord(bytes, message + 4, code16Of(query.maxResponseMs));
  query.group.write(bytes, message + 8);
  writeQuerier(bytes, message + 24, query);
  const sum = pseudoHeaderSum(bytes, at + 8, 16, PROTOCOL_ICMPV6, bytes.length - message);
  writeWord(bytes, message + 2, checksumOf(sumOf(bytes, message, bytes.length, sum)));
}

/** The fields behind the group, which both protocols have: flag S, robustness, interval, and the sources. */
function writeQuerier(bytes: Buffer, at: number, query: Query): void {
  const { robustness, queryIntervalMs, sources = [], isSuppressing } = query;
  bytes[at] = (isSuppressing ? 8 : 0) | (robustness & 7);
  bytes[at + 1] = code8Of(Math.round(queryIntervalMs / 1000));
  writeWord(bytes, at + 2, sources.length);
  const sourceBytes = query.group.family === 4 ? 4 : 16;
  for (const [index, source] of sources.entries()) source.write(bytes, at + 4 + index * sourceBytes);
}

/** 224.0.0.1 and ff02::1. */
function allHosts(isIpv4: boolean): IpWords {
  const address = new IpWords();
  if (isIpv4) address.readIpv4(new Uint8Array([224, 0, 0, 1]), 0);
  else address.readIpv6(new Uint8Array([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), 0);
  return address;
}
