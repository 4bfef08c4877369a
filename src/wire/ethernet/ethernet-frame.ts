import { type MacAddress, readMacAddress } from './mac-address.ts';
import { UNTAGGED, type Vid, vidOfTci } from './vid.ts';

/**
 * Where the fields of an Ethernet frame stand (IEEE 802.3-2022, 3.1; the tag:
 * IEEE 802.1Q-2022, 9.3). A frame here has no preamble and no FCS.
 */
export const DESTINATION = 0;
export const SOURCE = 6;
export const ETHER_TYPE = 12;
const TCI = 14;

/** The shortest thing that is a frame at all: two addresses and a type. */
export const HEADER_BYTES = 14;
/** What 802.3 pads to, less the FCS. Wires want it; tunnels do not need it. */
export const MIN_WIRE_BYTES = 60;
/** A virtio super-frame: 64 KiB of IP behind an Ethernet header and a tag or two, with slack. */
export const MAX_SUPER_FRAME_BYTES: number = 65_535 + 14 + 8;

export const ETHER_TYPE_C_TAG = 0x8100;

// The accessors cannot fail: the bridge has checked HEADER_BYTES once, at ingress.

export function destinationOf(bytes: Uint8Array, start: number): MacAddress {
  return readMacAddress(bytes, start + DESTINATION);
}

export function sourceOf(bytes: Uint8Array, start: number): MacAddress {
  return readMacAddress(bytes, start + SOURCE);
}

export function etherTypeOf(bytes: Uint8Array, start: number): number {
  return ((bytes[start + ETHER_TYPE] as number) << 8) | (bytes[start + ETHER_TYPE + 1] as number);
}

/** The VID of the outer C-TAG, or 0 when there is none or the frame ends inside it. */
export function vidOf(bytes: Uint8Array, start: number, length: number): Vid {
  if (length < TCI + 2 || etherTypeOf(bytes, start) !== ETHER_TYPE_C_TAG) return UNTAGGED;
  return vidOfTci(((bytes[start + TCI] as number) << 8) | (bytes[start + TCI + 1] as number));
}
