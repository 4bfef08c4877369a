import type { MacAddress } from '../ethernet/mac-address.ts';
import { ETHER_TYPE_IPV6, IPV6_HEADER_BYTES } from '../ethernet/transport-header.ts';
import { checksumOf, pseudoHeaderSum, sumOf } from '../offload/checksum.ts';
import { frameWith, type ProbeHeader } from './header.ts';

const ICMPV6 = 58;
const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
/** Flags of an advertisement: solicited, and it overrides an older one (RFC 4861, 4.4). */
const SOLICITED_OVERRIDE = 0x6000_0000;
const SOURCE_LINK_LAYER = 1;
const TARGET_LINK_LAYER = 2;
const HOPS = 255;

/** 16 octets. */
export type Ipv6 = Buffer;

/** ff02::1, the group of all nodes on a link. */
export const ALL_NODES: Ipv6 = Buffer.from('ff020000000000000000000000000001', 'hex');

/** The link-local address of a MAC address (RFC 4291, appendix A; RFC 2464, 4). */
export function linkLocalOf(mac: MacAddress): Ipv6 {
  const octets = Buffer.alloc(6);
  octets.writeUIntBE(mac, 0, 6);
  octets[0] = (octets[0] as number) ^ 2;
  return Buffer.concat([
    Buffer.from('fe80000000000000', 'hex'),
    octets.subarray(0, 3),
    Buffer.from([0xff, 0xfe]),
    octets.subarray(3),
  ]);
}

/** The solicited-node group of an address, ff02::1:ffXX:XXXX (RFC 4291, 2.7.1). */
export function solicitedNodeOf(ip: Ipv6): Ipv6 {
  return Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), ip.subarray(13)]);
}

/** The Ethernet group address of an IPv6 group (RFC 2464, 7). */
export function groupMacOf(group: Ipv6): MacAddress {
  return (0x3333_0000_0000 + group.readUInt32BE(12)) as MacAddress;
}

/** Asks who has `target`, from the link-local address of the frame's source (RFC 4861, 4.3). */
export function solicitation(header: ProbeHeader, target: Ipv6): Buffer {
  const body = Buffer.concat([Buffer.alloc(4), target, linkLayer(SOURCE_LINK_LAYER, header.source)]);
  return packet(header, linkLocalOf(header.source), solicitedNodeOf(target), SOLICITATION, body);
}

/** Tells `to` that the link-local address of the frame's source is there (RFC 4861, 4.4). */
export function advertisement(header: ProbeHeader, to: Ipv6): Buffer {
  const own = linkLocalOf(header.source);
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(SOLICITED_OVERRIDE);
  return packet(
    header,
    own,
    to,
    ADVERTISEMENT,
    Buffer.concat([flags, own, linkLayer(TARGET_LINK_LAYER, header.source)]),
  );
}

/** An echo request from the link-local address of the frame's source (RFC 4443, 4.1). */
export function echoRequest(header: ProbeHeader, to: Ipv6, id: number, sequence: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt16BE(id, 0);
  body.writeUInt16BE(sequence, 2);
  return packet(header, linkLocalOf(header.source), to, ECHO_REQUEST, body);
}

function linkLayer(type: number, mac: MacAddress): Buffer {
  const option = Buffer.from([type, 1, 0, 0, 0, 0, 0, 0]);
  option.writeUIntBE(mac, 2, 6);
  return option;
}

function packet(header: ProbeHeader, from: Ipv6, to: Ipv6, type: number, body: Buffer): Buffer {
  const length = 4 + body.length;
  const ip = Buffer.alloc(IPV6_HEADER_BYTES + length);
  ip[0] = 0x60;
  ip.writeUInt16BE(length, 4);
  ip[6] = ICMPV6;
  ip[7] = HOPS;
  ip.set(from, 8);
  ip.set(to, 24);
  ip[IPV6_HEADER_BYTES] = type;
  ip.set(body, IPV6_HEADER_BYTES + 4);
  const sum = sumOf(ip, IPV6_HEADER_BYTES, ip.length, pseudoHeaderSum(ip, 8, 16, ICMPV6, length));
  ip.writeUInt16BE(checksumOf(sum), IPV6_HEADER_BYTES + 2);
  return frameWith(header, ETHER_TYPE_IPV6, ip);
}

/** What a probe may get as an answer, or must answer itself. */
export type Icmpv6 =
  | { readonly kind: 'solicitation' | 'advertisement'; readonly from: Ipv6; readonly target: Ipv6 }
  | { readonly kind: 'echoReply'; readonly from: Ipv6; readonly id: number; readonly sequence: number };

/**
 * @param at where the IPv6 header begins
 * @returns undefined for another packet, one with extension headers, a truncated one, and one with a wrong checksum
 */
export function readIcmpv6(bytes: Uint8Array, at: number, end: number): Icmpv6 | undefined {
  if (end - at < IPV6_HEADER_BYTES + 8) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at);
  const length = view.readUInt16BE(4);
  if (view[6] !== ICMPV6 || length < 8 || IPV6_HEADER_BYTES + length > view.length) return undefined;
  const whole = sumOf(
    view,
    IPV6_HEADER_BYTES,
    IPV6_HEADER_BYTES + length,
    pseudoHeaderSum(view, 8, 16, ICMPV6, length),
  );
  if (checksumOf(whole) !== 0) return undefined;
  const from = Buffer.from(view.subarray(8, 24));
  const body = view.subarray(IPV6_HEADER_BYTES + 4, IPV6_HEADER_BYTES + length);
  const type = view[IPV6_HEADER_BYTES];
  if (type === ECHO_REPLY) return { kind: 'echoReply', from, id: body.readUInt16BE(0), sequence: body.readUInt16BE(2) };
  // Neighbour discovery from another link is refused (RFC 4861, 7.1.1 and 7.1.2).
  if ((type !== SOLICITATION && type !== ADVERTISEMENT) || view[7] !== HOPS || body.length < 20) return undefined;
  const kind = type === SOLICITATION ? 'solicitation' : 'advertisement';
  return { kind, from, target: Buffer.from(body.subarray(4, 20)) };
}
