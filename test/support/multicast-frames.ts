import { onesComplementSum } from './frames.ts';

/** A second implementation of the messages of IGMP and MLD, so that tests do not use the tested one. */

export interface GroupRecord {
  readonly type: number;
  readonly group: string;
  readonly sources?: readonly string[];
  /** auxiliary data, in units of four octets */
  readonly auxiliary?: number;
}

export interface MessageFields {
  /** the last octet of the station's MAC address, and of its IP address */
  readonly station?: number;
  /** the IP source, if it is not that of the station */
  readonly from?: string;
  /** the IP destination, if it is not the usual one of the message */
  readonly to?: string;
  readonly vid?: number;
  /** without the router alert option */
  readonly isPlain?: boolean;
}

/** An IPv4 or IPv6 address as octets; `::` stands once. */
export function octetsOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

export function groupMacOf(address: string): Buffer {
  const octets = octetsOf(address);
  if (octets.length === 16) return Buffer.concat([Buffer.from('3333', 'hex'), octets.subarray(12)]);
  return Buffer.from([1, 0, 0x5e, (octets[1] as number) & 0x7f, octets[2] as number, octets[3] as number]);
}

const isIpv6 = (address: string): boolean => address.includes(':');

/** A frame to a group with any IP payload. */
export function groupFrame(group: string, protocol: number, payload: Uint8Array, fields: MessageFields = {}): Buffer {
  const { station = 1, vid = 0 } = fields;
  const from = fields.from ?? (isIpv6(group) ? `fe80::${station.toString(16)}` : `192.0.2.${station}`);
  const tag = vid === 0 ? Buffer.alloc(0) : Buffer.from([0x81, 0, vid >> 8, vid & 0xff]);
  const type = Buffer.from(isIpv6(group) ? '86dd' : '0800', 'hex');
  const packet = isIpv6(group)
    ? ipv6Packet(from, group, protocol, payload, fields.isPlain === true)
    : ipv4Packet(from, group, protocol, payload, fields.isPlain === true);
  return Buffer.concat([groupMacOf(group), Buffer.from([2, 0, 0, 0, 0, station]), tag, type, packet]);
}

/** A datagram to a group. */
export function dataFrame(group: string, fields: MessageFields = {}): Buffer {
  return groupFrame(group, 17, Buffer.from('9c4013880010000001020304050607', 'hex'), { isPlain: true, ...fields });
}

function ipv4Packet(from: string, to: string, protocol: number, payload: Uint8Array, isPlain: boolean): Buffer {
  const headerBytes = isPlain ? 20 : 24;
  const header = Buffer.alloc(headerBytes);
  header[0] = 0x40 | (headerBytes / 4);
  header.writeUInt16BE(headerBytes + payload.length, 2);
  header[8] = 1;
  header[9] = protocol;
  header.set(octetsOf(from), 12);
  header.set(octetsOf(to), 16);
  if (!isPlain) header.set([0x94, 4, 0, 0], 20);
  header.writeUInt16BE(~onesComplementSum(header) & 0xffff, 10);
  return Buffer.concat([header, payload]);
}

function ipv6Packet(from: string, to: string, protocol: number, payload: Uint8Array, isPlain: boolean): Buffer {
  const hopByHop = isPlain ? Buffer.alloc(0) : Buffer.from([protocol, 0, 5, 2, 0, 0, 1, 0]);
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(hopByHop.length + payload.length, 4);
  header[6] = isPlain ? protocol : 0;
  header[7] = 1;
  header.set(octetsOf(from), 8);
  header.set(octetsOf(to), 24);
  return Buffer.concat([header, hopByHop, payload]);
}

/** A frame with an IGMP message of any octets; its checksum is written. */
export function igmpFrame(message: Buffer, to: string, fields: MessageFields = {}): Buffer {
  message.writeUInt16BE(0, 2);
  message.writeUInt16BE(~onesComplementSum(message) & 0xffff, 2);
  return groupFrame(fields.to ?? to, 2, message, fields);
}

/** The same with a message of MLD. */
export function mldFrame(message: Buffer, to: string, fields: MessageFields = {}): Buffer {
  const destination = fields.to ?? to;
  const source = fields.from ?? `fe80::${(fields.station ?? 1).toString(16)}`;
  const tail = Buffer.from([0, 0, message.length >> 8, message.length & 0xff, 0, 0, 0, 58]);
  message.writeUInt16BE(0, 2);
  const sum = onesComplementSum(octetsOf(source), octetsOf(destination), tail, message);
  message.writeUInt16BE(~sum & 0xffff, 2);
  return groupFrame(destination, 58, message, fields);
}

/** A report of IGMPv2 or MLDv1. @param type another type of IGMP: 0x12 is IGMPv1 */
export function joinFrame(group: string, fields: MessageFields = {}, type = 0x16): Buffer {
  const head = Buffer.from(isIpv6(group) ? '8300000000000000' : `${type.toString(16)}000000`, 'hex');
  const message = Buffer.concat([head, octetsOf(group)]);
  return isIpv6(group) ? mldFrame(message, group, fields) : igmpFrame(message, group, fields);
}

/** A leave of IGMPv2, or a done of MLDv1. */
export function leaveFrame(group: string, fields: MessageFields = {}): Buffer {
  const head = Buffer.from(isIpv6(group) ? '8400000000000000' : '17000000', 'hex');
  const message = Buffer.concat([head, octetsOf(group)]);
  return isIpv6(group) ? mldFrame(message, 'ff02::2', fields) : igmpFrame(message, '224.0.0.2', fields);
}

/** A report of IGMPv3 or MLDv2. @param count announced records, if these are not all of them */
export function recordsFrame(records: readonly GroupRecord[], fields: MessageFields = {}, count?: number): Buffer {
  const isSix = isIpv6(records[0]?.group ?? fields.to ?? '');
  const head = Buffer.from(isSix ? '8f00000000000000' : '2200000000000000', 'hex');
  head.writeUInt16BE(count ?? records.length, 6);
  const bodies = records.map(({ type, group, sources = [], auxiliary = 0 }) =>
    Buffer.concat([
      Buffer.from([type, auxiliary, sources.length >> 8, sources.length & 0xff]),
      octetsOf(group),
      ...sources.map(octetsOf),
      Buffer.alloc(4 * auxiliary, 0xaa),
    ]),
  );
  const message = Buffer.concat([head, ...bodies]);
  return isSix ? mldFrame(message, 'ff02::16', fields) : igmpFrame(message, '224.0.0.22', fields);
}

export interface QueryFields extends MessageFields {
  readonly family?: 4 | 6;
  /** absent: a general query */
  readonly group?: string;
  readonly sources?: readonly string[];
  /** the Max Resp Code */
  readonly code?: number;
  readonly isSuppressing?: boolean;
  /** of the older version: IGMPv2, or MLDv1 */
  readonly isOld?: boolean;
}

export function queryFrame(fields: QueryFields = {}): Buffer {
  const { group, sources = [], isSuppressing = false, isOld = false } = fields;
  const isSix = fields.family === 6 || isIpv6(group ?? '');
  const code = fields.code ?? (isSix ? 10_000 : 100);
  const head = Buffer.from(isSix ? [130, 0, 0, 0, code >> 8, code & 0xff, 0, 0] : [0x11, code, 0, 0]);
  const address = octetsOf(group ?? (isSix ? '::' : '0.0.0.0'));
  const rest = Buffer.from([isSuppressing ? 10 : 2, 125, sources.length >> 8, sources.length & 0xff]);
  const message = Buffer.concat([head, address, ...(isOld ? [] : [rest, ...sources.map(octetsOf)])]);
  return isSix ? mldFrame(message, group ?? 'ff02::1', fields) : igmpFrame(message, group ?? '224.0.0.1', fields);
}

/** A PIM hello (RFC 7761, 4.9). */
export function pimHelloFrame(family: 4 | 6, fields: MessageFields = {}): Buffer {
  const hello = Buffer.from('200000000001000200690000', 'hex');
  return groupFrame(family === 4 ? '224.0.0.13' : 'ff02::d', 103, hello, { isPlain: true, ...fields });
}

/** An advertisement of multicast router discovery (RFC 4286), or its termination. */
export function discoveryFrame(family: 4 | 6, isTermination = false, fields: MessageFields = {}): Buffer {
  const type = family === 4 ? (isTermination ? 0x32 : 0x30) : isTermination ? 153 : 151;
  const message = Buffer.from([type, 20, 0, 0, ...(isTermination ? [] : [0, 125, 0, 2])]);
  // IGMP's shortest message has eight octets.
  if (family === 4) return igmpFrame(Buffer.concat([message, Buffer.alloc(8 - message.length)]), '224.0.0.106', fields);
  return mldFrame(message, 'ff02::6a', fields);
}
