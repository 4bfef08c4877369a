import { HEADER_BYTES, MIN_WIRE_BYTES } from '../ethernet/ethernet-frame.ts';

/**
 * The frame that follows each of our pings on the raw wire (docs/reference/protocol.md).
 * Some peers answer a ping inside a blocking read that returns only with the
 * next data message; without one their whole program stands.
 *
 * Source and destination are the same address, so every learning bridge filters
 * the frame (IEEE 802.1Q-2022, 8.6.1). The EtherType is IEEE 802's Local
 * Experimental 1.
 */
const TEXT: Buffer = Buffer.from('etherws: follows a ping');
const ETHER_TYPE_AT = 12;
const ETHER_TYPE = 0x88b5;

/** @param address six octets, of a station @returns a frame of 60 octets, the caller's */
export function pingFiller(address: Uint8Array): Buffer {
  const frame = Buffer.alloc(MIN_WIRE_BYTES);
  frame.set(address, 0);
  frame.set(address, 6);
  frame.writeUInt16BE(ETHER_TYPE, ETHER_TYPE_AT);
  TEXT.copy(frame, HEADER_BYTES);
  return frame;
}

/** Whether a frame of at least 14 octets is a filler. Octets behind its text do not matter. */
export function isPingFiller(bytes: Uint8Array, start: number, length: number): boolean {
  if (bytes[start + ETHER_TYPE_AT] !== 0x88 || bytes[start + ETHER_TYPE_AT + 1] !== 0xb5) return false;
  if (length < HEADER_BYTES + TEXT.length) return false;
  for (let i = 0; i < 6; i++) if (bytes[start + i] !== bytes[start + 6 + i]) return false;
  for (let i = 0; i < TEXT.length; i++) if (bytes[start + HEADER_BYTES + i] !== TEXT[i]) return false;
  return true;
}
