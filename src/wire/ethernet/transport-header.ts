import type { OffloadFault } from '../offload/virtio-header.ts';
import { ETHER_TYPE, HEADER_BYTES } from './ethernet-frame.ts';

export const ETHER_TYPE_IPV4 = 0x0800;
export const ETHER_TYPE_IPV6 = 0x86dd;
const ETHER_TYPE_C_TAG = 0x8100;
const ETHER_TYPE_S_TAG = 0x88a8;
export const TAG_BYTES = 4;
export const MAX_TAGS = 2;

export const IPV4_HEADER_BYTES = 20;
export const IPV6_HEADER_BYTES = 40;
export const TCP_HEADER_BYTES = 20;
export const UDP_HEADER_BYTES = 8;

export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;

/** Where the headers of one frame are, as offsets from the frame's first octet. */
export class TransportHeader {
  isIpv6 = false;
  networkStart = 0;
  /** The end of the IP packet, exclusive; Ethernet padding may follow. */
  networkEnd = 0;
  protocol = 0;
  transportStart = 0;
  payloadStart = 0;
}

/**
 * Finds the TCP or UDP header of the frame at `start`, behind at most two VLAN
 * tags and any IPv6 extension headers that do not change its checksum.
 *
 * @param found is overwritten, also when there is a fault
 * @returns the fault; `protocol` when the frame carries another protocol
 */
export function locateTransport(
  bytes: Uint8Array,
  start: number,
  length: number,
  found: TransportHeader,
): OffloadFault | undefined {
  return (
    passEthernet(bytes, start, 0, length, found) ??
    passNetwork(bytes, start, length, found) ??
    passTransport(bytes, start, found)
  );
}

/**
 * Finds the IP header of the Ethernet frame that begins at the octet `at` of the frame at `start`.
 * @returns `protocol` when the EtherType behind at most two tags is not IP
 */
export function passEthernet(
  bytes: Uint8Array,
  start: number,
  at: number,
  length: number,
  found: TransportHeader,
): OffloadFault | undefined {
  found.protocol = -1;
  found.transportStart = 0;
  if (length < at + HEADER_BYTES) return 'truncated';
  let typeAt = at + ETHER_TYPE;
  let etherType = word(bytes, start + typeAt);
  for (let tags = 0; tags < MAX_TAGS && isTag(etherType); tags++) {
    typeAt += TAG_BYTES;
    if (length < typeAt + 2) return 'truncated';
    etherType = word(bytes, start + typeAt);
  }
  found.networkStart = typeAt + 2;
  found.isIpv6 = etherType === ETHER_TYPE_IPV6;
  return etherType === ETHER_TYPE_IPV4 || etherType === ETHER_TYPE_IPV6 ? undefined : 'protocol';
}

/** Reads the IP header at `found.networkStart`, and finds the header behind it, of any protocol. */
export function passNetwork(
  bytes: Uint8Array,
  start: number,
  length: number,
  found: TransportHeader,
): OffloadFault | undefined {
  return found.isIpv6 ? passIpv6(bytes, start, length, found) : passIpv4(bytes, start, length, found);
}

function passIpv4(bytes: Uint8Array, start: number, length: number, found: TransportHeader): OffloadFault | undefined {
  const at = start + found.networkStart;
  if (length < found.networkStart + IPV4_HEADER_BYTES) return 'truncated';
  const versionAndLength = bytes[at] as number;
  const headerBytes = (versionAndLength & 0xf) * 4;
  if (versionAndLength >>> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES) return 'truncated';
  const totalBytes = word(bytes, at + 2);
  found.protocol = bytes[at + 9] as number;
  found.networkEnd = found.networkStart + totalBytes;
  found.transportStart = found.networkStart + headerBytes;
  if (found.networkEnd > length) return 'ipLength';
  if (found.transportStart > found.networkEnd) return 'truncated';
  // More fragments, or an offset (RFC 791, 3.1).
  if ((word(bytes, at + 6) & 0x3fff) !== 0) return 'fragment';
  return undefined;
}

function passIpv6(bytes: Uint8Array, start: number, length: number, found: TransportHeader): OffloadFault | undefined {
  const at = start + found.networkStart;
  if (length < found.networkStart + IPV6_HEADER_BYTES) return 'truncated';
  if ((bytes[at] as number) >>> 4 !== 6) return 'truncated';
  found.networkEnd = found.networkStart + IPV6_HEADER_BYTES + word(bytes, at + 4);
  if (found.networkEnd > length) return 'ipLength';
  let next = bytes[at + 6] as number;
  let offset = found.networkStart + IPV6_HEADER_BYTES;
  while (next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS) {
    if (offset + 8 > found.networkEnd) return 'truncated';
    const header = start + offset;
    // With segments left, the pseudo-header has the final destination, not this one (RFC 8200, 8.1).
    if (next === ROUTING && bytes[header + 3] !== 0) return 'extensionHeader';
    next = bytes[header] as number;
    offset += ((bytes[header + 1] as number) + 1) * 8;
    if (offset > found.networkEnd) return 'truncated';
  }
  found.protocol = next;
  found.transportStart = offset;
  return next === FRAGMENT ? 'fragment' : undefined;
}

/** Reads the TCP or UDP header at `found.transportStart`, and finds the payload. */
export function passTransport(bytes: Uint8Array, start: number, found: TransportHeader): OffloadFault | undefined {
  const room = found.networkEnd - found.transportStart;
  if (found.protocol === PROTOCOL_TCP) {
    if (room < TCP_HEADER_BYTES) return 'truncated';
    const headerBytes = ((bytes[start + found.transportStart + 12] as number) >>> 4) * 4;
    if (headerBytes < TCP_HEADER_BYTES || headerBytes > room) return 'truncated';
    found.payloadStart = found.transportStart + headerBytes;
    return undefined;
  }
  if (found.protocol !== PROTOCOL_UDP) return 'protocol';
  if (room < UDP_HEADER_BYTES) return 'truncated';
  found.payloadStart = found.transportStart + UDP_HEADER_BYTES;
  return undefined;
}

/** Whether this is the EtherType of a C-TAG or an S-TAG. */
export function isTag(etherType: number): boolean {
  return etherType === ETHER_TYPE_C_TAG || etherType === ETHER_TYPE_S_TAG;
}

/** The 16-bit word at `at`, in network order. */
export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Writes a 16-bit word at `at`, in network order. */
export function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >>> 8) & 0xff;
  bytes[at + 1] = value & 0xff;
}
