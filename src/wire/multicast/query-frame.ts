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
}

/** An IPv4 header with the router alert option (RFC 2113), and an IPv6 header with a hop-by-hop header for it (RFC 2711). */
const IPV4_BYTES = IPV4_HEADER_BYTES + 4;
const IPV6_BYTES = IPV6_HEADER_BYTES + 8;
const IGMP_BYTES = 12;
const MLD_BYTES = 28;
const PROTOCOL_ICMPV6 = 58;

/** @returns a query of IGMPv3 or MLDv2 without sources, as an untagged frame of its own */
export function queryFrame(query: Query): Buffer {
  const { group } = query;
  const isIpv4 = group.family === 4;
  const bytes = Buffer.alloc(HEADER_BYTES + (isIpv4 ? IPV4_BYTES + IGMP_BYTES : IPV6_BYTES + MLD_BYTES));
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
  bytes.set([0x46, 0xc0, 0, IPV4_BYTES + IGMP_BYTES, 0, 0, 0x40, 0, 1, 2], at);
  query.source.write(bytes, at + 12);
  destination.write(bytes, at + 16);
  bytes.set([0x94, 4, 0, 0], at + IPV4_HEADER_BYTES);
  writeWord(bytes, at + 10, checksumOf(sumOf(bytes, at, at + IPV4_BYTES)));
  const message = at + IPV4_BYTES;
  bytes[message] = IGMP_QUERY;
  bytes[message + 1] = code8Of(Math.round(query.maxResponseMs / 100));
  query.group.write(bytes, message + 4);
  writeQuerier(bytes, message + 8, query);
  writeWord(bytes, message + 2, checksumOf(sumOf(bytes, message, message + IGMP_BYTES)));
}

function writeMld(bytes: Buffer, at: number, query: Query, destination: IpWords): void {
  bytes.set([0x60, 0, 0, 0, 0, 8 + MLD_BYTES, 0, 1], at);
  query.source.write(bytes, at + 8);
  destination.write(bytes, at + 24);
  bytes.set([PROTOCOL_ICMPV6, 0, 5, 2, 0, 0, 1, 0], at + IPV6_HEADER_BYTES);
  const message = at + IPV6_BYTES;
  bytes[message] = MLD_QUERY;
  writeWord(bytes, message + 4, code16Of(query.maxResponseMs));
  query.group.write(bytes, message + 8);
  writeQuerier(bytes, message + 24, query);
  const sum = pseudoHeaderSum(bytes, at + 8, 16, PROTOCOL_ICMPV6, MLD_BYTES);
  writeWord(bytes, message + 2, checksumOf(sumOf(bytes, message, message + MLD_BYTES, sum)));
}

function writeQuerier(bytes: Buffer, at: number, { robustness, queryIntervalMs }: Query): void {
  bytes[at] = robustness & 7;
  bytes[at + 1] = code8Of(Math.round(queryIntervalMs / 1000));
}

/** 224.0.0.1 and ff02::1. */
function allHosts(isIpv4: boolean): IpWords {
  const address = new IpWords();
  if (isIpv4) address.readIpv4(new Uint8Array([224, 0, 0, 1]), 0);
  else address.readIpv6(new Uint8Array([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), 0);
  return address;
}
