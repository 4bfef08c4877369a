import { ETHER_TYPE, HEADER_BYTES } from './ethernet-frame.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isTag,
  MAX_TAGS,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TAG_BYTES,
  word,
} from './transport-header.ts';

const PORTS_BYTES = 4;
/** The prime of 32-bit FNV. */
const PRIME = 0x0100_0193;

/**
 * A hash over the fields that identify a flow: MAC addresses, VIDs, EtherType, and
 * for IP the addresses, the protocol, and the ports of TCP and UDP.
 * Only the first fragment of a packet has ports, so fragments are hashed without
 * them and stay together. Packets with IPv6 extension headers are hashed without
 * ports, too. Of a truncated frame only the fields that are complete are hashed.
 *
 * @param seed makes the hash unpredictable, so that a station cannot choose
 *   addresses that share a queue with a victim's (RFC 8290, 4.1)
 * @returns 32 bits, unsigned
 */
export function flowHashOf(bytes: Uint8Array, start: number, length: number, seed: number): number {
  if (length < HEADER_BYTES) return finished(seed);
  const end = start + length;
  let hash = mixed(seed, bytes, start, ETHER_TYPE);
  let at = start + ETHER_TYPE;
  for (let tags = 0; tags < MAX_TAGS && isTag(word(bytes, at)); tags++) {
    if (at + TAG_BYTES + 2 > end) return finished(hash);
    // The VID only: the priority may change within a flow.
    hash = mixedWith(hash, word(bytes, at + 2) & 0xfff);
    at += TAG_BYTES;
  }
  const etherType = word(bytes, at);
  hash = mixedWith(hash, etherType);
  at += 2;
  if (etherType === ETHER_TYPE_IPV4) return finished(mixedWithIpv4(hash, bytes, at, end));
  if (etherType === ETHER_TYPE_IPV6) return finished(mixedWithIpv6(hash, bytes, at, end));
  return finished(hash);
}

function mixedWithIpv4(hash: number, bytes: Uint8Array, at: number, end: number): number {
  if (at + IPV4_HEADER_BYTES > end) return hash;
  const protocol = bytes[at + 9] as number;
  const addressed = mixed(mixedWith(hash, protocol), bytes, at + 12, 8);
  // More fragments, or an offset (RFC 791, 3.1).
  if ((word(bytes, at + 6) & 0x3fff) !== 0) return addressed;
  const headerBytes = ((bytes[at] as number) & 0xf) * 4;
  if (headerBytes < IPV4_HEADER_BYTES) return addressed;
  return mixedWithPorts(addressed, bytes, at + headerBytes, end, protocol);
}

function mixedWithIpv6(hash: number, bytes: Uint8Array, at: number, end: number): number {
  if (at + IPV6_HEADER_BYTES > end) return hash;
  const protocol = bytes[at + 6] as number;
  const addressed = mixed(mixedWith(hash, protocol), bytes, at + 8, 32);
  return mixedWithPorts(addressed, bytes, at + IPV6_HEADER_BYTES, end, protocol);
}

function mixedWithPorts(hash: number, bytes: Uint8Array, at: number, end: number, protocol: number): number {
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return hash;
  return at + PORTS_BYTES > end ? hash : mixed(hash, bytes, at, PORTS_BYTES);
}

/** @param length an even number of octets */
function mixed(hash: number, bytes: Uint8Array, at: number, length: number): number {
  let mix = hash;
  for (let offset = 0; offset < length; offset += 2) mix = mixedWith(mix, word(bytes, at + offset));
  return mix;
}

/** One step of FNV-1a, then a shift: a product has most of its entropy in the high bits. */
function mixedWith(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, PRIME);
  return product ^ (product >>> 15);
}

function finished(hash: number): number {
  const product = Math.imul(hash ^ (hash >>> 16), 0x45d9_f3b);
  return (product ^ (product >>> 16)) >>> 0;
}
