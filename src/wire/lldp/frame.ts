import { ETHER_TYPE, etherTypeOf, HEADER_BYTES, MIN_WIRE_BYTES } from '../ethernet/ethernet-frame.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';
import { encodeLldpdu } from './encode.ts';
import { ETHER_TYPE_LLDP, type Lldpdu, NEAREST_BRIDGE } from './lldpdu.ts';

/** @returns a frame to the nearest bridge group address, untagged, padded to the least length of Ethernet */
export function lldpFrame(source: MacAddress, lldpdu: Lldpdu): Buffer {
  const body = encodeLldpdu(lldpdu);
  const frame = Buffer.alloc(Math.max(MIN_WIRE_BYTES, HEADER_BYTES + body.length));
  frame.writeUIntBE(NEAREST_BRIDGE, 0, 6);
  frame.writeUIntBE(source, 6, 6);
  frame.writeUInt16BE(ETHER_TYPE_LLDP, ETHER_TYPE);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

/** Whether an untagged frame with an LLDPDU begins at `start`; its destination is not looked at. @param length at least HEADER_BYTES */
export function isLldp(bytes: Uint8Array, start: number): boolean {
  return etherTypeOf(bytes, start) === ETHER_TYPE_LLDP;
}
