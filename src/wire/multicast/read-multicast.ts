import { ETHER_TYPE } from '../ethernet/ethernet-frame.ts';
import { TPID_C_TAG, type Tpid, tciOf } from '../ethernet/tag.ts';
import { ETHER_TYPE_IPV4, ETHER_TYPE_IPV6, TAG_BYTES, word } from '../ethernet/transport-header.ts';
import { readIpv4, readIpv6 } from './ip-packet.ts';
import type { MulticastKind, MulticastPacket } from './multicast-packet.ts';

/**
 * Reads the frame at `start`, which is at least a header long and goes to a group address, into `packet`. It passes at
 * most one tag, of the kind that the bridge reads at the port: what is behind further tags is in a VLAN that the bridge
 * does not know, and is `foreign`. Nothing throws, whatever the octets are.
 */
export function readMulticast(
  packet: MulticastPacket,
  bytes: Uint8Array,
  start: number,
  length: number,
  tpid: Tpid = TPID_C_TAG,
): MulticastKind {
  packet.begin(bytes);
  const end = start + length;
  const isTagged = tciOf(bytes, start, length, tpid) >= 0;
  const typeAt = start + ETHER_TYPE + (isTagged ? TAG_BYTES : 0);
  const type = word(bytes, typeAt);
  if (type === ETHER_TYPE_IPV4) packet.kind = readIpv4(packet, typeAt + 2, end);
  else packet.kind = type === ETHER_TYPE_IPV6 ? readIpv6(packet, typeAt + 2, end) : 'foreign';
  return packet.kind;
}
