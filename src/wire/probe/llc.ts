import { frameWith, type ProbeHeader } from './header.ts';

/** The null SAP, which each station with LLC has (IEEE 802.2, 3.3.1.2), and TEST with the poll bit (4.1.3). */
const NULL_SAP = 0x00;
const RESPONSE = 0x01;
const TEST = 0xf3;
const LLC_BYTES = 3;

/** A TEST command, which a station with LLC sends back (IEEE 802.2, 4.1.3.4). */
export function llcTest(header: ProbeHeader, sequence: number): Buffer {
  const pdu = Buffer.from([NULL_SAP, NULL_SAP, TEST, sequence >>> 8, sequence & 255]);
  return frameWith(header, pdu.length, pdu);
}

/** @returns the sequence number of a TEST response; undefined for another frame. @param at behind the length */
export function readLlcTestResponse(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (end - at < LLC_BYTES + 2) return undefined;
  if (bytes[at] !== NULL_SAP || bytes[at + 1] !== (NULL_SAP | RESPONSE) || bytes[at + 2] !== TEST) return undefined;
  return ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
}
