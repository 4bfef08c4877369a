import { type MacAddress, readMacAddress, writeMacAddress } from '../ethernet/mac-address.ts';
import { RESERVED_VID, type Vid } from '../ethernet/vid.ts';

/**
 * The kind of the message by which a node of a cluster tells the others what a DHCP server behind a trusted port of its own has
 * answered.
 *
 * | octets | field |
 * |---|---|
 * | 1 | 4 or 6: DHCPv4 or DHCPv6 |
 * | 2 | VID |
 * | 4 | the number of the transaction |
 * | 6 | the MAC address of the client |
 * | | leases: each has the address, of 4 or 16 octets, and four octets of the seconds that it is valid |
 */
export const LEASE_MESSAGE = 32;

const HEAD_BYTES = 13;
const SECONDS_BYTES = 4;
/** The most leases of a message, so that it fits into a frame. */
const MOST_LEASES = 64;
const OCTETS = { 4: 4, 6: 16 } as const;

export interface Lease {
  /** Latin-1 text of 4 or 16 octets */
  readonly address: string;
  /** as in DHCP: 0xffffffff: it does not end; 0: it has ended */
  readonly seconds: number;
}

/** What a DHCP server has answered to a client. */
export interface LeaseAnswer {
  readonly family: 4 | 6;
  readonly vid: Vid;
  readonly transaction: number;
  readonly client: MacAddress;
  readonly leases: readonly Lease[];
}

/** Leases beyond the 64th are left out. */
export function encodeLeaseAnswer({ family, vid, transaction, client, leases }: LeaseAnswer): Uint8Array {
  const each = OCTETS[family] + SECONDS_BYTES;
  const some = leases.slice(0, MOST_LEASES);
  const payload = Buffer.alloc(HEAD_BYTES + some.length * each);
  payload.writeUInt8(family, 0);
  payload.writeUInt16BE(vid, 1);
  payload.writeUInt32BE(transaction, 3);
  writeMacAddress(new DataView(payload.buffer, payload.byteOffset), 7, client);
  some.forEach(({ address, seconds }, index) => {
    const at = HEAD_BYTES + index * each;
    payload.write(address, at, 'latin1');
    payload.writeUInt32BE(seconds, at + OCTETS[family]);
  });
  return payload;
}

/** @returns undefined if the payload is no such message */
export function decodeLeaseAnswer(payload: Uint8Array): LeaseAnswer | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const family = bytes[0];
  if (bytes.length < HEAD_BYTES || (family !== 4 && family !== 6)) return undefined;
  const vid = bytes.readUInt16BE(1);
  const each = OCTETS[family] + SECONDS_BYTES;
  if (vid >= RESERVED_VID || (bytes.length - HEAD_BYTES) % each !== 0) return undefined;
  const leases: Lease[] = [];
  for (let at = HEAD_BYTES; at < bytes.length; at += each) {
    const end = at + OCTETS[family];
    leases.push({ address: bytes.toString('latin1', at, end), seconds: bytes.readUInt32BE(end) });
  }
  return { family, vid: vid as Vid, transaction: bytes.readUInt32BE(3), client: readMacAddress(bytes, 7), leases };
}
