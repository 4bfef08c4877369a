import { HEADER_BYTES, MIN_WIRE_BYTES } from '../ethernet/ethernet-frame.ts';

/**
 * The frame that is sent after each ping on the raw wire (docs/reference/protocol.md).
 * Some peers answer a ping inside a blocking read, which returns only with the
 * next data message. Without this frame such a program blocks.
 *
 * Source and destination are the same address, so a learning bridge filters
 * the frame (IEEE 802.1Q-2022, 8.6.1). The EtherType is Local Experimental
 * EtherType 1 of IEEE 802.
 */
const TEXT: Buffer = Buffer.from('etherws: follows a ping');
const ETHER_TYPE_AT = 12;
const ETHER_TYPE = 0x88b5;

/** @param address six octets, unicast @returns a new frame of 60 octets */
export function pingFiller(address: Uint8Array): Buffer {
  const frame = Buffer.alloc(MIN_WIRE_BYTES);
  frame.set(address, 0);
  frame.set(address, 6);
  frame.writeUInt16BE(ETHER_TYPE, ETHER_TYPE_AT);
  TEXT.copy(frame, HEADER_BYTES);
  return frame;
}

/** Whether a frame of at least 14 octets is a ping filler. Octets behind the text are ignored. */
export function isPingFiller(bytes: Uint8Array, start: number, length: number): boolean {
  if (bytes[start + ETHER_TYPE_AT] !== 0x88 || bytes[start + ETHER_TYPE_AT + 1] !== 0xb5) return false;
  if (length < HEADER_BYTES + TEXT.length) return false;
  for (let i = 0; i < 6; i++) if (bytes[start + i] !== bytes[start + 6 + i]) return false;
  for (let i = 0; i < TEXT.length; i++) if (bytes[start + HEADER_BYTES + i] !== TEXT[i]) return false;
  return true;
}
