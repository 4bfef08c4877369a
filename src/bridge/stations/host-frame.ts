import { ETHER_TYPE } from '../../wire/ethernet/ethernet-frame.ts';
import {
  ETHER_TYPE_IPV4,
  ETHER_TYPE_IPV6,
  isTag,
  MAX_TAGS,
  PROTOCOL_UDP,
  TAG_BYTES,
  word,
} from '../../wire/ethernet/transport-header.ts';
import { ETHER_TYPE_ARP } from '../../wire/probe/arp.ts';

const ICMPV6 = 58;
/** Router solicitation and advertisement, neighbour solicitation and advertisement (RFC 4861, 4). */
const FIRST_OF_ND = 133;
const LAST_OF_ND = 136;
/** A router would have lowered it, so the frame is of this link (RFC 4861, 7.1). */
const HOP_LIMIT_OF_LINK = 255;

export type HostFrame = 'claim' | 'dhcp';

/**
 * Whether a frame may tell the address of a host: `claim` for ARP and neighbour discovery, `dhcp` for DHCP for IPv4. It
 * is asked of each frame that comes to the bridge, so it reads the few octets at their usual places: a frame with IPv4
 * options or IPv6 extension headers tells nothing. Octets behind the end of the frame may be read; the parsers of such
 * frames check the length.
 * @param start of a frame that is at least HEADER_BYTES long
 */
export function hostFrameOf(bytes: Uint8Array, start: number): HostFrame | undefined {
  let at = start + ETHER_TYPE;
  let type = word(bytes, at);
  for (let tags = 0; tags < MAX_TAGS && isTag(type); tags++) {
    at += TAG_BYTES;
    type = word(bytes, at);
  }
  if (type === ETHER_TYPE_IPV4) return isDhcp(bytes, at + 2) ? 'dhcp' : undefined;
  if (type === ETHER_TYPE_ARP) return 'claim';
  return type === ETHER_TYPE_IPV6 && isNeighbourDiscovery(bytes, at + 2) ? 'claim' : undefined;
}

function isDhcp(bytes: Uint8Array, ip: number): boolean {
  if (bytes[ip + 9] !== PROTOCOL_UDP || bytes[ip] !== 0x45) return false;
  const port = word(bytes, ip + 20);
  return port === 67 || port === 68;
}

function isNeighbourDiscovery(bytes: Uint8Array, ip: number): boolean {
  if (bytes[ip + 6] !== ICMPV6 || bytes[ip + 7] !== HOP_LIMIT_OF_LINK) return false;
  const kind = bytes[ip + 40] as number;
  return kind >= FIRST_OF_ND && kind <= LAST_OF_ND;
}
