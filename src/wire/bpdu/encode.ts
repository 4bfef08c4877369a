import { type MacAddress, writeMacAddress } from '../ethernet/mac-address.ts';
import { type Bpdu, BRIDGE_GROUP_ADDRESS } from './bpdu.ts';
import { CONFIG_BYTES, RST_BYTES, TCN_BYTES, TICKS_PER_SECOND, TYPE_CONFIG, TYPE_RST, TYPE_TCN } from './decode.ts';

/** The least length of an Ethernet frame without FCS (IEEE 802.3-2022, 4.2.3.3). */
const MIN_FRAME_BYTES = 60;
const LLC = [0x42, 0x42, 0x03] as const;
const BPDU_OFFSET = 17;
const RST_VERSION = 2;
const SIZES = { tcn: TCN_BYTES, config: CONFIG_BYTES, rst: RST_BYTES } as const;
const TYPES = { tcn: TYPE_TCN, config: TYPE_CONFIG, rst: TYPE_RST } as const;

/**
 * Encodes a BPDU as an Ethernet frame with LLC header, padded to 60 octets (IEEE 802.1D-2004, 9.3).
 * @param source the individual address of the port that sends it (7.12.2)
 */
export function encodeBpdu(bpdu: Bpdu, source: MacAddress): Uint8Array {
  const frame = new Uint8Array(MIN_FRAME_BYTES);
  const view = new DataView(frame.buffer);
  writeMacAddress(view, 0, BRIDGE_GROUP_ADDRESS);
  writeMacAddress(view, 6, source);
  view.setUint16(12, LLC.length + SIZES[bpdu.type]);
  frame.set(LLC, 14);
  view.setUint8(BPDU_OFFSET + 3, TYPES[bpdu.type]);
  if (bpdu.type === 'tcn') return frame;
  if (bpdu.type === 'rst') view.setUint8(BPDU_OFFSET + 2, RST_VERSION);
  const at = BPDU_OFFSET;
  view.setUint8(at + 4, bpdu.flags);
  view.setBigUint64(at + 5, bpdu.rootId);
  view.setUint32(at + 13, bpdu.rootPathCost);
  view.setBigUint64(at + 17, bpdu.bridgeId);
  view.setUint16(at + 25, bpdu.portId);
  view.setUint16(at + 27, ticks(bpdu.messageAge));
  view.setUint16(at + 29, ticks(bpdu.maxAge));
  view.setUint16(at + 31, ticks(bpdu.helloTime));
  view.setUint16(at + 33, ticks(bpdu.forwardDelay));
  return frame;
}

/** A time in units of 1/256 s; more than the field holds is its greatest value. */
function ticks(seconds: number): number {
  return Math.min(Math.round(seconds * TICKS_PER_SECOND), 0xffff);
}
