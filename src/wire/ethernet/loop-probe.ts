import { ETHER_TYPE, etherTypeOf, HEADER_BYTES, MIN_WIRE_BYTES } from './ethernet-frame.ts';
import { type MacAddress, writeMacAddress } from './mac-address.ts';
import { countTags } from './tag.ts';
import { TAG_BYTES } from './transport-header.ts';
import type { Vid } from './vid.ts';

/**
 * The probe frame of loop detection: an own protocol under the local experimental EtherType 1 (IEEE 802-2014, 9.2.4).
 *
 * | octets | field |
 * |---|---|
 * | 6 | destination 03-45-57-53-00-01: a locally administered group address, which other bridges flood |
 * | 6 | source: the address of the network that sends it |
 * | 2 | EtherType 88-B5 |
 * | 2 | protocol 45-57 |
 * | 1 | version, 1 |
 * | 1 | kind, 1: loop probe |
 * | 8 | instance: random, of the network that sends it |
 * | 4 | number of the port that sends it |
 * | 4 | sequence number at this port |
 * | 16 | nonce: random; the probes of a port at a time have one |
 * | 2 | the VID of the VLAN in which it is sent; 0: none |
 *
 * Zeros follow up to the minimum length of IEEE 802.3.
 */
export const LOOP_PROBE_ADDRESS: MacAddress = 0x0345_5753_0001 as MacAddress;

const ETHER_TYPE_LOCAL_EXPERIMENTAL = 0x88b5;
const PROTOCOL = 0x4557;
const VERSION = 1;
const LOOP_PROBE = 1;

/** Of the VLAN, and of a provider's. */
const MOST_TAGS = 2;

const INSTANCE = HEADER_BYTES + 4;
const PORT = INSTANCE + 8;
const SEQUENCE = PORT + 4;
const NONCE = SEQUENCE + 4;
export const INSTANCE_BYTES = 8;
export const NONCE_BYTES = 16;
const VID = NONCE + NONCE_BYTES;
const PROBE_BYTES = VID + 2;

export interface LoopProbe {
  readonly source: MacAddress;
  /** INSTANCE_BYTES octets */
  readonly instance: Uint8Array;
  readonly port: number;
  readonly sequence: number;
  /** NONCE_BYTES octets */
  readonly nonce: Uint8Array;
  readonly vid: Vid;
}

/** What a receiver reads of a probe. */
export type ReceivedProbe = Pick<LoopProbe, 'port' | 'nonce' | 'instance' | 'vid'>;

/** The frame of a probe, in octets of its own, without a tag. */
export function encodeLoopProbe({ source, instance, port, sequence, nonce, vid }: LoopProbe): Uint8Array {
  const frame = new Uint8Array(MIN_WIRE_BYTES);
  const view = new DataView(frame.buffer);
  writeMacAddress(view, 0, LOOP_PROBE_ADDRESS);
  writeMacAddress(view, 6, source);
  view.setUint16(ETHER_TYPE, ETHER_TYPE_LOCAL_EXPERIMENTAL);
  view.setUint16(HEADER_BYTES, PROTOCOL);
  view.setUint8(HEADER_BYTES + 2, VERSION);
  view.setUint8(HEADER_BYTES + 3, LOOP_PROBE);
  frame.set(instance, INSTANCE);
  view.setUint32(PORT, port);
  view.setUint32(SEQUENCE, sequence);
  frame.set(nonce, NONCE);
  view.setUint16(VID, vid);
  return frame;
}

/**
 * Reads what a receiver needs to know its own probe again, or one of its cluster.
 * @param length at least HEADER_BYTES
 * @param start where the frame begins; it may have up to two tags
 * @returns the instance, the port number, the nonce and the VID that it names, copied; undefined for any other frame
 */
export function parseLoopProbe(bytes: Uint8Array, start: number, length: number): ReceivedProbe | undefined {
  const tagBytes = countTags(bytes, start, length, MOST_TAGS) * TAG_BYTES;
  return parseUntagged(bytes, start + tagBytes, length - tagBytes);
}

/** @param start where the frame would begin, if its addresses stood behind its tags: these are not read */
function parseUntagged(bytes: Uint8Array, start: number, length: number): ReceivedProbe | undefined {
  if (length < PROBE_BYTES || etherTypeOf(bytes, start) !== ETHER_TYPE_LOCAL_EXPERIMENTAL) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  if (view.getUint16(HEADER_BYTES) !== PROTOCOL) return undefined;
  if (view.getUint8(HEADER_BYTES + 2) !== VERSION || view.getUint8(HEADER_BYTES + 3) !== LOOP_PROBE) return undefined;
  // The slice of a Buffer would be no copy.
  const instance = Uint8Array.from(bytes.subarray(start + INSTANCE, start + INSTANCE + INSTANCE_BYTES));
  const nonce = Uint8Array.from(bytes.subarray(start + NONCE, start + VID));
  return { instance, port: view.getUint32(PORT), nonce, vid: view.getUint16(VID) as Vid };
}
