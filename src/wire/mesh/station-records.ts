import { type MacAddress, readMacAddress } from '../ethernet/mac-address.ts';
import type { Vid } from '../ethernet/vid.ts';
import { MAX_MESH_PAYLOAD_BYTES } from './mesh-frame.ts';

/**
 * The messages of stations between the nodes of a cluster, by their kinds.
 *
 * | kind | payload |
 * |---|---|
 * | announce | records: the sender has these stations |
 * | withdraw | names: it has them no longer |
 * | wholeBegin | nothing: all of its stations follow, by messages `announce` |
 * | wholeEnd | a digest: those were all |
 * | digest | a digest of all stations that it has announced |
 * | wantWhole | nothing: the receiver shall send all of its stations |
 * | flush | nothing: the sender has no stations any more |
 * | newer | records of another node that supersede what the receiver has announced |
 *
 * A name has eight octets: four bits of flags, twelve of the VID, and the MAC address. The flags are, from the highest one on:
 * the station is set, its port is isolated, and two zeros. A record is a name, four octets of the sequence number, and two of
 * the time since the station was seen, in tenths of a second. A digest has four octets of the
 * number of stations, and two sums of four octets (station-sums.ts).
 */
export const STATION_KINDS = {
  announce: 1,
  withdraw: 2,
  wholeBegin: 3,
  wholeEnd: 4,
  digest: 5,
  wantWhole: 6,
  flush: 7,
  newer: 8,
} as const;

const NAME_BYTES = 8;
const RECORD_BYTES = 14;
const DIGEST_BYTES = 12;
/** The node has set the station, so it does not move (RFC 7432, 15.2: sticky). */
const HELD = 0x8000;
/** The station is at an isolated port (RFC 8317, 6.1: the leaf indication of a MAC address). */
const ISOLATED = 0x4000;
const MOST_AGE = 0xffff;
const MS_OF_AGE = 100;
const MOST_SEQUENCE = 0xffff_ffff;

/** How many stations one message has at most. */
export const MOST_RECORDS: number = Math.floor(MAX_MESH_PAYLOAD_BYTES / RECORD_BYTES);
export const MOST_NAMES: number = Math.floor(MAX_MESH_PAYLOAD_BYTES / NAME_BYTES);

export interface StationName {
  readonly vid: Vid;
  readonly mac: MacAddress;
}

export interface StationRecord extends StationName {
  /** MAC mobility sequence number (RFC 7432, 7.7) */
  readonly sequence: number;
  readonly isHeld: boolean;
  /** whether it is at an isolated port */
  readonly isIsolated: boolean;
  /** the time since its address was seen, in milliseconds; at most 6 553 500, and exact to 100 */
  readonly ageMs: number;
}

export interface StationDigest {
  readonly count: number;
  readonly sums: readonly [number, number];
}

/** @param records at most MOST_RECORDS */
export function encodeRecords(records: readonly StationRecord[]): Uint8Array {
  const payload = new Uint8Array(records.length * RECORD_BYTES);
  const view = new DataView(payload.buffer);
  records.forEach((record, index) => {
    const at = index * RECORD_BYTES;
    writeName(view, at, record, (record.isHeld ? HELD : 0) | (record.isIsolated ? ISOLATED : 0));
    view.setUint32(at + NAME_BYTES, Math.min(MOST_SEQUENCE, record.sequence));
    view.setUint16(at + NAME_BYTES + 4, Math.min(MOST_AGE, Math.max(0, Math.floor(record.ageMs / MS_OF_AGE))));
  });
  return payload;
}

/** @returns undefined if the payload is no list of records */
export function decodeRecords(payload: Uint8Array): StationRecord[] | undefined {
  if (payload.length % RECORD_BYTES !== 0) return undefined;
  const view = viewOf(payload);
  const records: StationRecord[] = [];
  for (let at = 0; at < payload.length; at += RECORD_BYTES) {
    const head = view.getUint16(at);
    records.push({
      vid: (head & 0xfff) as Vid,
      mac: readMacAddress(payload, at + 2),
      sequence: view.getUint32(at + NAME_BYTES),
      isHeld: (head & HELD) !== 0,
      isIsolated: (head & ISOLATED) !== 0,
      ageMs: view.getUint16(at + NAME_BYTES + 4) * MS_OF_AGE,
    });
  }
  return records;
}

/** @param names at most MOST_NAMES */
export function encodeNames(names: readonly StationName[]): Uint8Array {
  const payload = new Uint8Array(names.length * NAME_BYTES);
  const view = new DataView(payload.buffer);
  names.forEach((name, index) => void writeName(view, index * NAME_BYTES, name, 0));
  return payload;
}

/** @returns undefined if the payload is no list of names */
export function decodeNames(payload: Uint8Array): StationName[] | undefined {
  if (payload.length % NAME_BYTES !== 0) return undefined;
  const view = viewOf(payload);
  const names: StationName[] = [];
  for (let at = 0; at < payload.length; at += NAME_BYTES) names.push(readName(view, payload, at));
  return names;
}

export function encodeDigest({ count, sums }: StationDigest): Uint8Array {
  const payload = new Uint8Array(DIGEST_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint32(0, count);
  view.setUint32(4, sums[0]);
  view.setUint32(8, sums[1]);
  return payload;
}

/** @returns undefined if the payload is no digest */
export function decodeDigest(payload: Uint8Array): StationDigest | undefined {
  if (payload.length !== DIGEST_BYTES) return undefined;
  const view = viewOf(payload);
  return { count: view.getUint32(0), sums: [view.getUint32(4), view.getUint32(8)] };
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.length);
}

function writeName(view: DataView, at: number, { vid, mac }: StationName, flags: number): void {
  view.setUint16(at, vid | flags);
  view.setUint16(at + 2, Math.floor(mac / 0x1_0000_0000));
  view.setUint32(at + 4, mac % 0x1_0000_0000);
}

function readName(view: DataView, payload: Uint8Array, at: number): StationName {
  return { vid: (view.getUint16(at) & 0xfff) as Vid, mac: readMacAddress(payload, at + 2) };
}
