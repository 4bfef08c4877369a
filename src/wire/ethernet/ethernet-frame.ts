import { type MacAddress, readMacAddress } from './mac-address.ts';
import { UNTAGGED, type Vid, vidOfTci } from './vid.ts';

/**
 * Offsets of the fields of an Ethernet frame, in octets (IEEE 802.3-2022, 3.1; the tag:
 * IEEE 802.1Q-2022, 9.3). A frame here has no preamble and no FCS.
 */
export const DESTINATION = 0;
export const SOURCE = 6;
export const ETHER_TYPE = 12;
const TCI = 14;

/** The length of an untagged header, two addresses and a type; anything shorter is a runt. */
export const HEADER_BYTES = 14;
/** The minimum frame length of IEEE 802.3 without the FCS. Physical links require it; tunnels do not. */
export const MIN_WIRE_BYTES = 60;
/** The longest super-frame: 65 535 octets of IP behind an Ethernet header and two tags. */
export const MAX_SUPER_FRAME_BYTES: number = 65_535 + 14 + 8;

export const ETHER_TYPE_C_TAG = 0x8100;

// These accessors check no length: the bridge has discarded frames shorter than HEADER_BYTES at ingress.

export function destinationOf(bytes: Uint8Array, start: number): MacAddress {
  return readMacAddress(bytes, start + DESTINATION);
}

export function sourceOf(bytes: Uint8Array, start: number): MacAddress {
  return readMacAddress(bytes, start + SOURCE);
}

export function etherTypeOf(bytes: Uint8Array, start: number): number {
  return ((bytes[start + ETHER_TYPE] as number) << 8) | (bytes[start + ETHER_TYPE + 1] as number);
}

/** The VID of the outer C-TAG; UNTAGGED without one, or when the frame ends inside of it. */
export function vidOf(bytes: Uint8Array, start: number, length: number): Vid {
  if (length < TCI + 2 || etherTypeOf(bytes, start) !== ETHER_TYPE_C_TAG) return UNTAGGED;
  return vidOfTci(((bytes[start + TCI] as number) << 8) | (bytes[start + TCI + 1] as number));
}
