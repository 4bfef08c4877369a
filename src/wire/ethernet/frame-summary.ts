import {
  checksumOffsetOf,
  checksumStartOf,
  FLAG_ENCAPSULATED,
  FLAG_NEEDS_CSUM,
  flagsOf,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  gsoSizeOf,
  gsoTypeOf,
  headerBytesOf,
  OFFLOAD_HEADER_BYTES,
} from '../offload/virtio-header.ts';
import { destinationOf, ETHER_TYPE, HEADER_BYTES, sourceOf } from './ethernet-frame.ts';
import type { FrameBatch } from './frame-batch.ts';
import { formatIpv4, formatIpv6 } from './ip-address.ts';
import { formatMacAddress } from './mac-address.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  isTag,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TAG_BYTES,
  word,
} from './transport-header.ts';
import { vidOfTci } from './vid.ts';

/** A frame to be shown in a log line. `bytes` is valid only during the call that the example is passed to. */
export interface FrameExample {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** How many octets of the frame were captured: at most `length`. */
  readonly captured: number;
  /** The length of the frame as it was on the wire. */
  readonly length: number;
  /** Whether an offload header stands in front of it. */
  readonly hasOffloadHeader: boolean;
}

/** @returns frame `index` of a batch as an example, valid as long as the batch's contents */
export function exampleOf({ bytes, starts, lengths, hasOffloadHeaders }: FrameBatch, index: number): FrameExample {
  const length = lengths[index] as number;
  return { bytes, start: starts[index] as number, captured: length, length, hasOffloadHeader: hasOffloadHeaders };
}

/** Tags beyond these are not decoded. */
const MAX_SHOWN_TAGS = 4;
/** A smaller EtherType is a length (IEEE 802.3-2022, 3.2.6). */
const MIN_ETHER_TYPE = 0x600;
const ICMP = 1;
const ICMPV6 = 58;
const PROTOCOLS: Readonly<Record<number, string>> = {
  [ICMP]: 'ICMP',
  4: 'IPv4',
  [PROTOCOL_TCP]: 'TCP',
  [PROTOCOL_UDP]: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  [ICMPV6]: 'ICMPv6',
  132: 'SCTP',
};
/** Protocols whose header begins with the source and destination ports. */
const WITH_PORTS: readonly number[] = [PROTOCOL_TCP, PROTOCOL_UDP, 132];
const TYPES: Readonly<Record<number, string>> = { 2054: 'ARP', 35020: 'LLDP', 34887: 'MPLS', 35045: 'MACsec' };
const SEGMENTATIONS: Readonly<Record<number, string>> = {
  [GSO_TCPV4]: 'TCP over IPv4',
  [GSO_TCPV6]: 'TCP over IPv6',
  [GSO_UDP_L4]: 'UDP',
};

/**
 * One line for the log: addresses, tags, EtherType, IP addresses and ports, length,
 * and the fields of the offload header. Never throws, whatever the octets are, and
 * returns printable ASCII only.
 */
export function describeFrame(frame: FrameExample): string {
  const parts = [...headerParts(frame), `${frame.length} octets`];
  if (frame.hasOffloadHeader && frame.start >= OFFLOAD_HEADER_BYTES && frame.start <= frame.bytes.length) {
    parts.push(...offloadParts(frame.bytes, frame.start - OFFLOAD_HEADER_BYTES));
  }
  return parts.join(', ');
}

function headerParts({ bytes, start, captured }: FrameExample): string[] {
  const end = Math.min(start + captured, bytes.length);
  if (end < start + HEADER_BYTES) return ['a cut Ethernet header'];
  const parts = [`${formatMacAddress(sourceOf(bytes, start))} > ${formatMacAddress(destinationOf(bytes, start))}`];
  let at = start + ETHER_TYPE;
  let type = word(bytes, at);
  for (let tags = 0; tags < MAX_SHOWN_TAGS && isTag(type) && at + TAG_BYTES + 2 <= end; tags++) {
    const tci = word(bytes, at + 2);
    parts.push(
      `${type === 0x8100 ? 'VLAN' : 'S-VLAN'} ${vidOfTci(tci)}${tci >>> 13 === 0 ? '' : ` priority ${tci >>> 13}`}`,
    );
    at += TAG_BYTES;
    type = word(bytes, at);
  }
  at += 2;
  if (type === ETHER_TYPE_IPV4) parts.push(describeIpv4(bytes, at, end));
  else if (type === ETHER_TYPE_IPV6) parts.push(describeIpv6(bytes, at, end));
  else parts.push(type < MIN_ETHER_TYPE ? '802.3' : (TYPES[type] ?? `type ${hex(type)}`));
  return parts;
}

function describeIpv4(bytes: Uint8Array, at: number, end: number): string {
  if (end < at + 20) return 'IPv4 (cut)';
  const headerBytes = ((bytes[at] as number) & 0xf) * 4;
  const isLaterFragment = (word(bytes, at + 6) & 0x1fff) !== 0;
  const protocol = bytes[at + 9] as number;
  const ports = isLaterFragment ? undefined : portsOf(bytes, at + headerBytes, end, protocol);
  const fragment = isLaterFragment || (word(bytes, at + 6) & 0x2000) !== 0 ? ' fragment' : '';
  return `IPv4 ${ends(ipv4At(bytes, at + 12), ipv4At(bytes, at + 16), ports)} ${nameOf(protocol)}${fragment}`;
}

function describeIpv6(bytes: Uint8Array, at: number, end: number): string {
  if (end < at + 40) return 'IPv6 (cut)';
  const protocol = bytes[at + 6] as number;
  const ports = portsOf(bytes, at + 40, end, protocol);
  const isBracketed = ports !== undefined;
  return `IPv6 ${ends(ipv6At(bytes, at + 8, isBracketed), ipv6At(bytes, at + 24, isBracketed), ports)} ${nameOf(protocol)}`;
}

function portsOf(bytes: Uint8Array, at: number, end: number, protocol: number): readonly [number, number] | undefined {
  return WITH_PORTS.includes(protocol) && at + 4 <= end ? [word(bytes, at), word(bytes, at + 2)] : undefined;
}

function ends(from: string, to: string, ports: readonly [number, number] | undefined): string {
  return ports === undefined ? `${from} > ${to}` : `${from}:${ports[0]} > ${to}:${ports[1]}`;
}

function ipv4At(bytes: Uint8Array, at: number): string {
  return formatIpv4(((word(bytes, at) << 16) | word(bytes, at + 2)) >>> 0);
}

function ipv6At(bytes: Uint8Array, at: number, isBracketed: boolean): string {
  const text = formatIpv6(Array.from({ length: 8 }, (_, group) => word(bytes, at + 2 * group)));
  return isBracketed ? `[${text}]` : text;
}

function nameOf(protocol: number): string {
  return PROTOCOLS[protocol] ?? `protocol ${protocol}`;
}

function offloadParts(bytes: Uint8Array, at: number): string[] {
  const parts: string[] = [];
  const flags = flagsOf(bytes, at);
  if ((flags & FLAG_NEEDS_CSUM) !== 0) {
    parts.push(`needs a checksum at ${checksumStartOf(bytes, at)}+${checksumOffsetOf(bytes, at)}`);
  }
  const gsoType = gsoTypeOf(bytes, at);
  if (gsoType !== GSO_NONE) {
    const kind = SEGMENTATIONS[gsoType & ~GSO_ECN] ?? `type ${hex(gsoType)}`;
    parts.push(
      `segments of ${gsoSizeOf(bytes, at)} octets (${kind}) behind ${headerBytesOf(bytes, at)} octets of headers`,
    );
  }
  if ((flags & FLAG_ENCAPSULATED) !== 0) parts.push('encapsulated');
  return parts;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
