import { type Bpdu, ROLE_UNKNOWN, roleIn } from './bpdu.ts';
import type { BridgeId } from './bridge-id.ts';

const LENGTH_OFFSET = 12;
const LLC_OFFSET = 14;
const LLC_BYTES = 3;
const BPDU_OFFSET = LLC_OFFSET + LLC_BYTES;
/** The LLC address of the bridge spanning tree protocol, both as destination and source (7.12.3). */
const SPANNING_TREE_LSAP = 0x42;
const UNNUMBERED_INFORMATION = 0x03;
/** The greatest value of the length field of an IEEE 802.3 frame. */
const MAX_LENGTH_FIELD = 1500;

export const TYPE_CONFIG = 0x00;
export const TYPE_RST = 0x02;
export const TYPE_TCN = 0x80;
export const TCN_BYTES = 4;
export const CONFIG_BYTES = 35;
export const RST_BYTES = 36;
/** The time unit of BPDUs (9.2.8). */
export const TICKS_PER_SECOND = 256;

/**
 * Decodes the BPDU of an Ethernet frame, and validates it (IEEE 802.1D-2004, 9.3.4). That a Configuration BPDU is
 * not the port's own is left to the port. An RST BPDU with the role Unknown is returned as a Configuration BPDU
 * (9.2.9, note). Octets behind those of the type are ignored, so an MSTP BPDU is an RST BPDU.
 *
 * @param start of the frame in `bytes`, `length` octets, at least an Ethernet header
 * @returns undefined for a frame without LLC header of the protocol, or a BPDU that must be discarded
 */
export function decodeBpdu(bytes: Uint8Array, start: number, length: number): Bpdu | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  if (length < BPDU_OFFSET + TCN_BYTES || !hasSpanningTreeLlc(view)) return undefined;
  const octets = Math.min(view.getUint16(LENGTH_OFFSET) - LLC_BYTES, length - BPDU_OFFSET);
  // Protocol Identifier 0; the version identifier is not checked, so that later versions are understood (9.3.4).
  if (octets < TCN_BYTES || view.getUint16(BPDU_OFFSET) !== 0) return undefined;
  switch (view.getUint8(BPDU_OFFSET + 3)) {
    case TYPE_TCN:
      return { type: 'tcn' };
    case TYPE_CONFIG:
      return octets < CONFIG_BYTES ? undefined : freshConfig(view);
    case TYPE_RST:
      return octets < RST_BYTES ? undefined : decodeRst(view);
    default:
      return undefined;
  }
}

function hasSpanningTreeLlc(view: DataView): boolean {
  return (
    view.getUint16(LENGTH_OFFSET) <= MAX_LENGTH_FIELD &&
    view.getUint8(LLC_OFFSET) === SPANNING_TREE_LSAP &&
    view.getUint8(LLC_OFFSET + 1) === SPANNING_TREE_LSAP &&
    view.getUint8(LLC_OFFSET + 2) === UNNUMBERED_INFORMATION
  );
}

/** Refuses a Configuration BPDU whose Message Age is not below its Max Age (9.3.4 a). */
function freshConfig(view: DataView): Bpdu | undefined {
  const message = decodeMessage(view, 'config');
  return message.messageAge < message.maxAge ? message : undefined;
}

function decodeRst(view: DataView): Bpdu | undefined {
  const message = decodeMessage(view, 'rst');
  return roleIn(message) === ROLE_UNKNOWN ? freshConfig(view) : message;
}

function decodeMessage(view: DataView, type: 'config' | 'rst') {
  const at = BPDU_OFFSET;
  return {
    type,
    flags: view.getUint8(at + 4),
    rootId: view.getBigUint64(at + 5) as BridgeId,
    rootPathCost: view.getUint32(at + 13),
    bridgeId: view.getBigUint64(at + 17) as BridgeId,
    portId: view.getUint16(at + 25),
    messageAge: view.getUint16(at + 27) / TICKS_PER_SECOND,
    maxAge: view.getUint16(at + 29) / TICKS_PER_SECOND,
    helloTime: view.getUint16(at + 31) / TICKS_PER_SECOND,
    forwardDelay: view.getUint16(at + 33) / TICKS_PER_SECOND,
  };
}
