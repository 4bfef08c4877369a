import { ETHER_TYPE, ETHER_TYPE_C_TAG } from '../ethernet/ethernet-frame.ts';
import { ETHER_TYPE_IPV4, ETHER_TYPE_IPV6, TAG_BYTES, word } from '../ethernet/transport-header.ts';
import { readIpv4, readIpv6 } from './ip-packet.ts';
import type { MulticastKind, MulticastPacket } from './multicast-packet.ts';

/**
 * Reads the frame at `start`, which is at least a header long and goes to a group address, into `packet`. It passes at
 * most one C-TAG, which is the VID of the bridge: what is behind further tags is in a VLAN that the bridge does not
 * know, and is `foreign`. Nothing throws, whatever the octets are.
 */
export function readMulticast(
  packet: MulticastPacket,
  bytes: Uint8Array,
  start: number,
  length: number,
): MulticastKind {
  packet.begin(bytes);
  packet.kind = kindOf(packet, bytes, start, start + length);
  return packet.kind;
}

function kindOf(packet: MulticastPacket, bytes: Uint8Array, start: number, end: number): MulticastKind {
  let typeAt = start + ETHER_TYPE;
  let type = word(bytes, typeAt);
  if (type === ETHER_TYPE_C_TAG && typeAt + TAG_BYTES + 2 <= end) {
    typeAt += TAG_BYTES;
    type = word(bytes, typeAt);
  }
  if (type === ETHER_TYPE_IPV4) return readIpv4(packet, typeAt + 2, end);
  return type === ETHER_TYPE_IPV6 ? readIpv6(packet, typeAt + 2, end) : 'foreign';
}
