/**
 * The virtio-net header (OASIS virtio 1.2, 5.1.6), which says what offloads a frame
 * needs: in its 10-octet form without `num_buffers`, little-endian, as Linux TAP
 * devices and packet sockets use it.
 *
 * | offset | field       | meaning                                              |
 * |--------|-------------|------------------------------------------------------|
 * | 0      | flags       | NEEDS_CSUM 1, DATA_VALID 2; ENCAPSULATED 0x80 is ours |
 * | 1      | gso_type    | NONE 0, TCPV4 1, TCPV6 4, UDP_L4 5, or'ed with ECN 0x80 |
 * | 2      | hdr_len     | a hint: octets of headers in front of the payload    |
 * | 4      | gso_size    | octets of payload in each segment                    |
 * | 6      | csum_start  | where the checksum begins, from the frame's start    |
 * | 8      | csum_offset | where it is stored, from csum_start                  |
 */
export const OFFLOAD_HEADER_BYTES = 10;

export const FLAG_NEEDS_CSUM = 1;
export const FLAG_DATA_VALID = 2;
/**
 * Not of virtio 1.2: the checksum is not that of the outermost IP packet, but one inside
 * an encapsulation. `OffloadEngine.check` sets and clears it.
 */
export const FLAG_ENCAPSULATED = 0x80;

export const GSO_NONE = 0;
export const GSO_TCPV4 = 1;
export const GSO_TCPV6 = 4;
export const GSO_UDP_L4 = 5;
export const GSO_ECN = 0x80;

/** The flags that `OffloadEngine.check` accepts. */
export const KNOWN_FLAGS: number = FLAG_NEEDS_CSUM | FLAG_DATA_VALID | FLAG_ENCAPSULATED;

/** The offloads that a port takes, or that a frame needs, as a set of bits. A port with 0 takes finished frames only. */
export type Offloads = number;
export const OFFLOAD_NONE: Offloads = 0;
export const OFFLOAD_CHECKSUM: Offloads = 1;
export const OFFLOAD_TSO4: Offloads = 2;
export const OFFLOAD_TSO6: Offloads = 4;
/** TSO of a super-frame with CWR set, which only the first segment keeps (RFC 3168, 6.1.2). */
export const OFFLOAD_TSO_ECN: Offloads = 8;
export const OFFLOAD_USO: Offloads = 16;
/**
 * Any of the above inside an encapsulation. No port takes it: the header describes
 * the inner checksum only, and not the outer headers, so a kernel
 * would drop the super-frame, and hardware would write the checksum to the wrong place.
 */
export const OFFLOAD_ENCAPSULATED: Offloads = 32;
/** The header has an unknown flag or gso_type. No port takes it. */
export const OFFLOAD_UNKNOWN: Offloads = 0x4000_0000;

/** Why an offload header is refused. `native/offload/offload.h` has them in the same order, from 1. */
export const OFFLOAD_FAULTS = [
  /** flag bits that are not defined here */
  'flags',
  /** a kind of segmentation that is not defined here */
  'gsoType',
  /** segmentation without FLAG_NEEDS_CSUM */
  'checksumMissing',
  /** csum_start and csum_offset point outside of the frame, or not at the protocol's checksum */
  'checksumPlace',
  /** gso_size is 0, or would make more than MAX_SEGMENTS segments */
  'gsoSize',
  /** the frame ends inside its headers, or their lengths contradict each other */
  'truncated',
  /** the IP or UDP length is not that of the frame */
  'ipLength',
  /** not the network or transport protocol that gso_type names */
  'protocol',
  /** a fragment of an IP packet */
  'fragment',
  /** an IPv6 routing header that changes the pseudo-header, or headers longer than MAX_HEADER_BYTES */
  'extensionHeader',
  /** an unknown encapsulation, or more than MAX_ENCAPSULATIONS */
  'encapsulation',
] as const;

export type OffloadFault = (typeof OFFLOAD_FAULTS)[number];

// The fields of the header at `at`. The caller has checked the length.

export function flagsOf(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

export function gsoTypeOf(bytes: Uint8Array, at: number): number {
  return bytes[at + 1] as number;
}

export function headerBytesOf(bytes: Uint8Array, at: number): number {
  return littleEndian16(bytes, at + 2);
}

export function gsoSizeOf(bytes: Uint8Array, at: number): number {
  return littleEndian16(bytes, at + 4);
}

export function checksumStartOf(bytes: Uint8Array, at: number): number {
  return littleEndian16(bytes, at + 6);
}

export function checksumOffsetOf(bytes: Uint8Array, at: number): number {
  return littleEndian16(bytes, at + 8);
}

/**
 * The offloads that a frame needs, according to the header at `at`, which need not have been
 * checked: when the result is OFFLOAD_NONE, the other fields mean nothing.
 */
export function neededOffloads(bytes: Uint8Array, at: number): Offloads {
  const flags = bytes[at] as number;
  const gsoType = bytes[at + 1] as number;
  if ((flags | gsoType) === 0) return OFFLOAD_NONE;
  const checksum = (flags & FLAG_NEEDS_CSUM) === 0 ? OFFLOAD_NONE : OFFLOAD_CHECKSUM;
  const encapsulated = (flags & FLAG_ENCAPSULATED) === 0 ? OFFLOAD_NONE : OFFLOAD_ENCAPSULATED;
  const unknown = (flags & ~KNOWN_FLAGS) === 0 ? OFFLOAD_NONE : OFFLOAD_UNKNOWN;
  return checksum | encapsulated | unknown | segmentationOffloadsOf(gsoType);
}

function segmentationOffloadsOf(gsoType: number): Offloads {
  switch (gsoType) {
    case GSO_NONE:
      return OFFLOAD_NONE;
    case GSO_TCPV4:
      return OFFLOAD_TSO4;
    case GSO_TCPV6:
      return OFFLOAD_TSO6;
    case GSO_TCPV4 | GSO_ECN:
      return OFFLOAD_TSO4 | OFFLOAD_TSO_ECN;
    case GSO_TCPV6 | GSO_ECN:
      return OFFLOAD_TSO6 | OFFLOAD_TSO_ECN;
    case GSO_UDP_L4:
      return OFFLOAD_USO;
    default:
      return OFFLOAD_UNKNOWN;
  }
}

export function writeOffloadHeader(bytes: Uint8Array, at: number, header: OffloadHeader): void {
  bytes[at] = header.flags;
  bytes[at + 1] = header.gsoType;
  writeLittleEndian16(bytes, at + 2, header.headerBytes);
  writeLittleEndian16(bytes, at + 4, header.gsoSize);
  writeLittleEndian16(bytes, at + 6, header.checksumStart);
  writeLittleEndian16(bytes, at + 8, header.checksumOffset);
}

export interface OffloadHeader {
  readonly flags: number;
  readonly gsoType: number;
  readonly headerBytes: number;
  readonly gsoSize: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
}

/** Overwrites hdr_len. Linux refuses frames with a wrong one, although it is a hint. */
export function writeHeaderBytes(bytes: Uint8Array, at: number, headerBytes: number): void {
  writeLittleEndian16(bytes, at + 2, headerBytes);
}

/**
 * Moves hdr_len and csum_start, for a frame whose Ethernet header has become `added` octets longer; where the frame needs
 * no segmentation or no checksum they mean nothing, and stay. The header has been checked.
 */
export function shiftOffsets(bytes: Uint8Array, at: number, added: number): void {
  if (gsoTypeOf(bytes, at) !== GSO_NONE) writeHeaderBytes(bytes, at, headerBytesOf(bytes, at) + added);
  if ((flagsOf(bytes, at) & FLAG_NEEDS_CSUM) !== 0)
    writeLittleEndian16(bytes, at + 6, checksumStartOf(bytes, at) + added);
}

/** Sets or clears FLAG_ENCAPSULATED. */
export function markEncapsulated(bytes: Uint8Array, at: number, isEncapsulated: boolean): void {
  const others = flagsOf(bytes, at) & ~FLAG_ENCAPSULATED;
  bytes[at] = isEncapsulated ? others | FLAG_ENCAPSULATED : others;
}

function littleEndian16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function writeLittleEndian16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = value >>> 8;
}
