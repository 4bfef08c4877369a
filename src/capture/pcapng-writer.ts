import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  COMMENT,
  INBOUND,
  INTERFACE,
  OUTBOUND,
  PACKET,
  SECTION,
  STATISTICS,
} from './pcapng-codes.ts';

/**
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian: a section header, an interface description for
 * each port, an enhanced packet block for each frame, then interface statistics. Times are microseconds since 1970.
 */

const LINKTYPE_ETHERNET = 1;

/** The kind of reception in epb_flags. */
const UNICAST = 1 << 2;
const MULTICAST = 2 << 2;
const BROADCAST = 3 << 2;
const BROADCAST_ADDRESS = 'ffffffffffff';

export interface InterfaceDescription {
  readonly name: string;
  readonly description: string;
  /** limit of the recorded octets of a frame; 0: none */
  readonly snapLength: number;
  /** `''`: none */
  readonly filter: string;
}

export interface PacketRecord {
  /** the number of the interface in its section, from 0 */
  readonly interfaceId: number;
  readonly timeUs: number;
  /** received by the port (`rx`), or sent by it (`tx`) */
  readonly direction: 'rx' | 'tx';
  /** the recorded octets of the frame */
  readonly bytes: Uint8Array;
  /** octets of the whole frame */
  readonly length: number;
  /** lines of free text, such as the reason of a discard */
  readonly comments: string[];
  /** frames of this interface that were lost since the record before (epb_dropcount) */
  readonly lost: number;
}

export interface InterfaceStatistics {
  readonly interfaceId: number;
  readonly startUs: number;
  readonly endUs: number;
  /** frames that the port received or sent */
  readonly received: number;
  /** of these, matched by the filter */
  readonly accepted: number;
  /** of the matched ones, in the file */
  readonly delivered: number;
  /** of the matched ones, lost */
  readonly dropped: number;
}

export function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  body.writeUInt16LE(1, 4);
  // -1: the length of the section is unknown, since the file is a stream.
  body.fill(0xff, 8);
  return block(BLOCK.sectionHeader, body, [text(SECTION.userApplication, application)]);
}

export function interfaceDescription({ name, description, snapLength, filter }: InterfaceDescription): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_ETHERNET, 0);
  body.writeUInt32LE(snapLength, 4);
  const options = [text(INTERFACE.name, name), text(INTERFACE.description, description)];
  // The first octet of if_filter says that the text of the filter follows.
  if (filter !== '') options.push(option(INTERFACE.filter, Buffer.from(`\0${filter}`)));
  return block(BLOCK.interfaceDescription, body, options);
}

export function enhancedPacket(record: PacketRecord): Buffer {
  const { interfaceId, timeUs, bytes, length, lost } = record;
  const body = Buffer.alloc(20 + padded(bytes.length));
  body.writeUInt32LE(interfaceId, 0);
  writeTime(body, 4, timeUs);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(length, 16);
  body.set(bytes, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(flagsOf(record));
  const options = [...record.comments.map((line) => text(COMMENT, line)), option(PACKET.flags, flags)];
  if (lost > 0) options.push(counter(PACKET.dropCount, lost));
  return block(BLOCK.enhancedPacket, body, options);
}

export function interfaceStatistics(statistics: InterfaceStatistics): Buffer {
  const { interfaceId, startUs, endUs, received, accepted, delivered, dropped } = statistics;
  const body = Buffer.alloc(12);
  body.writeUInt32LE(interfaceId, 0);
  writeTime(body, 4, endUs);
  return block(BLOCK.interfaceStatistics, body, [
    time(STATISTICS.startTime, startUs),
    time(STATISTICS.endTime, endUs),
    counter(STATISTICS.received, received),
    counter(STATISTICS.dropped, dropped),
    counter(STATISTICS.accepted, accepted),
    counter(STATISTICS.delivered, delivered),
  ]);
}

function flagsOf({ direction, bytes }: PacketRecord): number {
  const way = direction === 'rx' ? INBOUND : OUTBOUND;
  if (bytes.length < 6) return way;
  if (((bytes[0] as number) & 1) === 0) return way | UNICAST;
  const destination = Buffer.from(bytes.buffer, bytes.byteOffset, 6).toString('hex');
  return way | (destination === BROADCAST_ADDRESS ? BROADCAST : MULTICAST);
}

function block(type: number, body: Uint8Array, options: readonly Buffer[]): Buffer {
  const end = Buffer.alloc(4);
  const length = 12 + body.length + options.reduce((sum, each) => sum + each.length, 0) + end.length;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length);
  return Buffer.concat([head, body, ...options, end, tail], length);
}

function option(code: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt16LE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}

function text(code: number, value: string): Buffer {
  return option(code, Buffer.from(value).subarray(0, 0xffff));
}

function counter(code: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return option(code, bytes);
}

/** A time is two 32-bit numbers, the high one first, also in a little-endian file. */
function time(code: number, us: number): Buffer {
  const bytes = Buffer.alloc(8);
  writeTime(bytes, 0, us);
  return option(code, bytes);
}

function writeTime(bytes: Buffer, at: number, us: number): void {
  bytes.writeUInt32LE(Math.floor(us / 2 ** 32), at);
  bytes.writeUInt32LE(Math.floor(us) % 2 ** 32, at + 4);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
