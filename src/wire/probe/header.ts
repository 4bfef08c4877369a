import { ETHER_TYPE_C_TAG, MIN_WIRE_BYTES } from '../ethernet/ethernet-frame.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';

/** Where a probe goes on the Ethernet. */
export interface ProbeHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** 0: untagged */
  readonly vid: number;
}

export const BROADCAST = 0xffff_ffff_ffff as MacAddress;

/** @returns the frame, padded to the least length of Ethernet. @param type the EtherType, or the length of an LLC PDU */
export function frameWith({ destination, source, vid }: ProbeHeader, type: number, payload: Uint8Array): Buffer {
  const headerBytes = vid === 0 ? 14 : 18;
  const frame = Buffer.alloc(Math.max(MIN_WIRE_BYTES, headerBytes + payload.length));
  frame.writeUIntBE(destination, 0, 6);
  frame.writeUIntBE(source, 6, 6);
  if (vid !== 0) frame.writeUInt32BE(ETHER_TYPE_C_TAG * 0x1_0000 + vid, 12);
  frame.writeUInt16BE(type, headerBytes - 2);
  frame.set(payload, headerBytes);
  return frame;
}
