import { HEADER_BYTES } from '../ethernet/ethernet-frame.ts';
import {
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  passEthernet,
  passNetwork,
  TransportHeader,
  word,
} from '../ethernet/transport-header.ts';
import { type Layers, locateDescribed } from './encapsulation.ts';
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
  KNOWN_FLAGS,
  type OffloadFault,
} from './virtio-header.ts';

/**
 * The most segments of one super-frame. It bounds the amplification by a hostile
 * gso_size. Linux refuses an MSS below 48, so 65 535 octets of a real TCP are at
 * most 1 365 segments.
 */
export const MAX_SEGMENTS = 2048;
/** The most datagrams of a UDP super-frame that Linux accepts (UDP_MAX_SEGMENTS). */
export const MAX_DATAGRAMS = 128;

/**
 * The most octets of headers in front of a super-frame's payload; each segment
 * repeats them. Ethernet, two tags, IPv4 and TCP with all options are 142, and
 * 236 inside VXLAN over IPv6. The rest is for extension headers and options.
 */
export const MAX_HEADER_BYTES = 256;

export const TCP_CHECKSUM = 16;
export const UDP_CHECKSUM = 6;

/**
 * Checks the offload header at `headerStart` against the frame at `start`. Every field
 * that a kernel or a segmenter relies on is compared with the frame's octets, except
 * hdr_len, which is only a hint, and FLAG_ENCAPSULATED, which the caller overwrites.
 *
 * @param found is set to the positions of the headers, if the frame is a super-frame without
 *   a fault, and to whether its checksum is inside an encapsulation
 * @returns the first contradiction
 */
export function checkOffload(
  bytes: Uint8Array,
  start: number,
  length: number,
  headerStart: number,
  found: Layers,
): OffloadFault | undefined {
  found.clear();
  const flags = flagsOf(bytes, headerStart);
  const gsoType = gsoTypeOf(bytes, headerStart);
  const needsChecksum = (flags & FLAG_NEEDS_CSUM) !== 0;
  if ((flags & ~KNOWN_FLAGS) !== 0 || ((flags & FLAG_ENCAPSULATED) !== 0 && !needsChecksum)) return 'flags';
  const checksumStart = checksumStartOf(bytes, headerStart);
  if (gsoType === GSO_NONE) {
    if (!needsChecksum) return undefined;
    // A checksum inside the Ethernet header would change the addresses after the forwarding decision.
    if (checksumStart < HEADER_BYTES) return 'checksumPlace';
    if (checksumStart + checksumOffsetOf(bytes, headerStart) + 2 > length) return 'checksumPlace';
    found.isEncapsulated = !isOutermost(bytes, start, length, checksumStart);
    return undefined;
  }
  const kind = gsoType & ~GSO_ECN;
  if (kind !== GSO_TCPV4 && kind !== GSO_TCPV6 && gsoType !== GSO_UDP_L4) return 'gsoType';
  if (!needsChecksum) return 'checksumMissing';
  const fault =
    locateDescribed(bytes, start, length, checksumStart, found) ??
    checkSuperFrame(bytes, start, length, headerStart, found.inner, kind);
  found.isEncapsulated = found.outerCount > 0;
  return fault;
}

const outermost = new TransportHeader();

/**
 * Whether the checksum starts directly behind the first IP header. Otherwise it is taken to be
 * inside an encapsulation, where hardware cannot complete it.
 */
function isOutermost(bytes: Uint8Array, start: number, length: number, checksumStart: number): boolean {
  const fault = passEthernet(bytes, start, 0, length, outermost) ?? passNetwork(bytes, start, length, outermost);
  return fault === undefined && outermost.transportStart === checksumStart;
}

function checkSuperFrame(
  bytes: Uint8Array,
  start: number,
  length: number,
  headerStart: number,
  found: TransportHeader,
  kind: number,
): OffloadFault | undefined {
  const isUdp = kind === GSO_UDP_L4;
  if (found.protocol !== (isUdp ? PROTOCOL_UDP : PROTOCOL_TCP)) return 'protocol';
  if (!isUdp && found.isIpv6 !== (kind === GSO_TCPV6)) return 'protocol';
  if (found.networkEnd !== length) return 'ipLength';
  if (isUdp && word(bytes, start + found.transportStart + 4) !== length - found.transportStart) return 'ipLength';
  if (checksumStartOf(bytes, headerStart) !== found.transportStart) return 'checksumPlace';
  if (checksumOffsetOf(bytes, headerStart) !== (isUdp ? UDP_CHECKSUM : TCP_CHECKSUM)) return 'checksumPlace';
  if (found.payloadStart > MAX_HEADER_BYTES) return 'extensionHeader';
  const payloadBytes = length - found.payloadStart;
  const maxSegments = isUdp ? MAX_DATAGRAMS : MAX_SEGMENTS;
  const gsoSize = gsoSizeOf(bytes, headerStart);
  return gsoSize === 0 || payloadBytes > gsoSize * maxSegments ? 'gsoSize' : undefined;
}
