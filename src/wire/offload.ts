/**
 * What a frame may still owe, and where that is written: the virtio-net header
 * (OASIS virtio 1.2, 5.1.6), in its 10-byte form without `num_buffers`,
 * little-endian, as Linux TAP devices and packet sockets carry it.
 *
 * | offset | field       | meaning                                              |
 * |--------|-------------|------------------------------------------------------|
 * | 0      | flags       | NEEDS_CSUM 1, DATA_VALID 2                           |
 * | 1      | gso_type    | NONE 0, TCPV4 1, TCPV6 4, UDP_L4 5, or'ed with ECN 0x80 |
 * | 2      | hdr_len     | a hint: octets before the first octet of payload     |
 * | 4      | gso_size    | payload octets in each segment                       |
 * | 6      | csum_start  | from where the checksum runs, from the frame's start |
 * | 8      | csum_offset | where it is put, from csum_start                     |
 */
export const OFFLOAD_HEADER_BYTES = 10;

export const FLAG_NEEDS_CSUM = 1;
export const FLAG_DATA_VALID = 2;

export const GSO_NONE = 0;
export const GSO_TCPV4 = 1;
export const GSO_TCPV6 = 4;
export const GSO_UDP_L4 = 5;
export const GSO_ECN = 0x80;

/** The debts that a port takes with a frame, as a set of bits. 0: only finished frames. */
export type Offloads = number;
export const OFFLOAD_NONE: Offloads = 0;
export const OFFLOAD_CHECKSUM: Offloads = 1;
export const OFFLOAD_TSO4: Offloads = 2;
export const OFFLOAD_TSO6: Offloads = 4;
/** TSO of segments with CWR set, which a segmenter must clear behind the first (RFC 3168, 6.1.2). */
export const OFFLOAD_TSO_ECN: Offloads = 8;
export const OFFLOAD_USO: Offloads = 16;
