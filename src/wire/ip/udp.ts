import { innerTypeAt } from '../ethernet/frame-kind.ts';
import {
  type ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  PROTOCOL_UDP,
  UDP_HEADER_BYTES,
  word,
} from '../ethernet/transport-header.ts';

/**
 * Finds the UDP header of a frame behind at most two tags. IPv4 options are passed, IPv6 extension headers are not.
 * @param length at least HEADER_BYTES
 * @returns the offset of the header in `bytes`; 0 if the frame is no UDP of that IP version, is a later fragment, or ends
 *   before the header does
 */
export function udpAt(
  bytes: Uint8Array,
  start: number,
  length: number,
  etherType: typeof ETHER_TYPE_IPV4 | typeof ETHER_TYPE_IPV6,
): number {
  const typeAt = innerTypeAt(bytes, start, length);
  if (typeAt === 0 || word(bytes, start + typeAt) !== etherType) return 0;
  const end = start + length;
  const ip = start + typeAt + 2;
  const udp = ip + (etherType === ETHER_TYPE_IPV6 ? IPV6_HEADER_BYTES : ipv4HeaderBytes(bytes, ip));
  if (udp + UDP_HEADER_BYTES > end || udp < ip + IPV4_HEADER_BYTES) return 0;
  return bytes[ip + (etherType === ETHER_TYPE_IPV6 ? 6 : 9)] === PROTOCOL_UDP ? udp : 0;
}

/** What the packet says; 0 for a later fragment, which has no UDP header. */
function ipv4HeaderBytes(bytes: Uint8Array, ip: number): number {
  return (word(bytes, ip + 6) & 0x1fff) === 0 ? ((bytes[ip] as number) & 0xf) * 4 : 0;
}
