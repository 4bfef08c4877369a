import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { OFFLOAD_HEADER_BYTES, type OffloadHeader, writeOffloadHeader } from '../../src/wire/offload/virtio-header.ts';

/** The fields of a frame; absent ones have defaults. */
export interface FrameFields {
  ipv6?: boolean;
  protocol?: 'tcp' | 'udp';
  /** TCIs, outer first. */
  tags?: readonly number[];
  source?: number;
  destinationPort?: number;
  tos?: number;
  ttl?: number;
  id?: number;
  dontFragment?: boolean;
  sequence?: number;
  acknowledgement?: number;
  flags?: number;
  window?: number;
  /** TCP options, a multiple of four octets. */
  options?: Uint8Array;
  /** IPv6 extension headers, first header's type first; `next` of the last is patched. */
  extension?: { type: number; bytes: Uint8Array };
  payload: Uint8Array;
}

export interface BuiltFrame {
  bytes: Buffer;
  networkStart: number;
  transportStart: number;
  payloadStart: number;
}

/** A finished Ethernet frame with correct lengths and checksums. */
export function frameOf(fields: FrameFields): BuiltFrame {
  const isTcp = (fields.protocol ?? 'tcp') === 'tcp';
  const protocol = isTcp ? 6 : 17;
  const transport = isTcp ? tcpHeader(fields) : udpHeader(fields);
  const ethernet = ethernetHeader(fields);
  const network = fields.ipv6
    ? ipv6Header(fields, protocol, transport.length)
    : ipv4Header(fields, protocol, transport.length);
  const bytes = Buffer.concat([ethernet, network, transport, fields.payload]);
  const networkStart = ethernet.length;
  const transportStart = networkStart + network.length;
  const at = transportStart + (isTcp ? 16 : 6);
  const checksum = ~transportSum(bytes, networkStart, transportStart, protocol) & 0xffff;
  bytes.writeUInt16BE(isTcp ? checksum : checksum || 0xffff, at);
  return { bytes, networkStart, transportStart, payloadStart: transportStart + transport.length };
}

/** The same frame as a kernel sends it: with a partial checksum, and the offload header for it. */
export function superFrameOf(fields: FrameFields, gsoSize: number): { frame: Buffer; header: OffloadHeader } {
  const built = frameOf(fields);
  const isTcp = (fields.protocol ?? 'tcp') === 'tcp';
  const checksumOffset = isTcp ? 16 : 6;
  built.bytes.writeUInt16BE(
    pseudoSum(built.bytes, built.networkStart, built.transportStart, isTcp ? 6 : 17),
    built.transportStart + checksumOffset,
  );
  const ecn = isTcp && ((fields.flags ?? 0) & 0x80) !== 0 ? 0x80 : 0;
  const kind = isTcp ? (fields.ipv6 ? 4 : 1) : 5;
  return {
    frame: built.bytes,
    header: {
      flags: 1,
      gsoType: gsoSize === 0 ? 0 : kind | ecn,
      headerBytes: gsoSize === 0 ? 0 : built.payloadStart,
      gsoSize,
      checksumStart: built.transportStart,
      checksumOffset,
    },
  };
}

/** A batch in the layout of devices; a frame without a header needs no offloads. */
export function batchWithHeaders(frames: readonly { frame: Uint8Array; header?: OffloadHeader }[]): FrameBatch {
  const lead = 4 + OFFLOAD_HEADER_BYTES;
  const size = frames.reduce((sum, { frame }) => sum + lead + frame.length, 0);
  const batch = new FrameBatch(Buffer.alloc(size), Math.max(1, frames.length));
  batch.hasOffloadHeaders = true;
  let at = 0;
  for (const { frame, header } of frames) {
    at += lead;
    if (header !== undefined) writeOffloadHeader(batch.bytes, at - OFFLOAD_HEADER_BYTES, header);
    batch.bytes.set(frame, at);
    batch.push(at, frame.length);
    at += frame.length;
  }
  return batch;
}

export function framesOf(batch: FrameBatch): Buffer[] {
  return Array.from({ length: batch.count }, (_, index) => Buffer.from(batch.frame(index)));
}

/** The one's complement sum: a second implementation, so that tests do not use the tested one. */
export function onesComplementSum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (const [index, octet] of part.entries()) {
      sum += index % 2 === 0 ? octet << 8 : octet;
      if (sum > 0xffff) sum -= 0xffff;
    }
  }
  return sum;
}

/** Whether the IPv4 header and transport checksums of a finished frame are right. */
export function checksumsAreRight(frame: Buffer): boolean {
  let type = 12;
  while ([0x8100, 0x88a8].includes(frame.readUInt16BE(type))) type += 4;
  const network = type + 2;
  if (frame.readUInt16BE(type) === 0x0800) {
    const transport = network + ((frame[network] as number) & 15) * 4;
    if (onesComplementSum(frame.subarray(network, transport)) !== 0xffff) return false;
    return transportSum(frame, network, transport, frame[network + 9] as number) === 0xffff;
  }
  let transport = network + 40;
  let next = frame[network + 6] as number;
  while (next !== 6 && next !== 17) {
    next = frame[transport] as number;
    transport += ((frame[transport + 1] as number) + 1) * 8;
  }
  return transportSum(frame, network, transport, next) === 0xffff;
}

export function pseudoSum(frame: Buffer, network: number, transport: number, protocol: number): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(frame.length - transport);
  tail[7] = protocol;
  const isIpv6 = (frame[network] as number) >> 4 === 6;
  const addresses = isIpv6 ? frame.subarray(network + 8, network + 40) : frame.subarray(network + 12, network + 20);
  return onesComplementSum(addresses, tail);
}

export function transportSum(frame: Buffer, network: number, transport: number, protocol: number): number {
  const pseudo = Buffer.alloc(2);
  pseudo.writeUInt16BE(pseudoSum(frame, network, transport, protocol));
  return onesComplementSum(pseudo, frame.subarray(transport));
}

export function ethernetHeader(fields: FrameFields): Buffer {
  const tags = fields.tags ?? [];
  const header = Buffer.from(`0200000000bb0200000000${(fields.source ?? 0xaa).toString(16).padStart(2, '0')}`, 'hex');
  const parts: Buffer[] = [header];
  for (const [index, tci] of tags.entries()) {
    const tag = Buffer.alloc(4);
    tag.writeUInt16BE(tags.length === 2 && index === 0 ? 0x88a8 : 0x8100);
    tag.writeUInt16BE(tci, 2);
    parts.push(tag);
  }
  parts.push(Buffer.from(fields.ipv6 ? '86dd' : '0800', 'hex'));
  return Buffer.concat(parts);
}

export function ipv4Header(fields: FrameFields, protocol: number, transportBytes: number): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header[1] = fields.tos ?? 0;
  header.writeUInt16BE(20 + transportBytes + fields.payload.length, 2);
  header.writeUInt16BE(fields.id ?? 1, 4);
  header.writeUInt16BE((fields.dontFragment ?? true) ? 0x4000 : 0, 6);
  header[8] = fields.ttl ?? 64;
  header[9] = protocol;
  header.set([192, 0, 2, fields.source ?? 0xaa, 192, 0, 2, 0xbb], 12);
  header.writeUInt16BE(~onesComplementSum(header) & 0xffff, 10);
  return header;
}

export function ipv6Header(fields: FrameFields, protocol: number, transportBytes: number): Buffer {
  const extension = fields.extension;
  const header = Buffer.alloc(40);
  header[0] = 0x60 | ((fields.tos ?? 0) >> 4);
  header[1] = ((fields.tos ?? 0) & 15) << 4;
  header.writeUInt16BE((extension?.bytes.length ?? 0) + transportBytes + fields.payload.length, 4);
  header[6] = extension?.type ?? protocol;
  header[7] = fields.ttl ?? 64;
  header.set(Buffer.from(`20010db8000000000000000000000000`, 'hex'), 8);
  header[23] = fields.source ?? 0xaa;
  header.set(Buffer.from(`20010db80000000000000000000000bb`, 'hex'), 24);
  if (extension === undefined) return header;
  const bytes = Buffer.from(extension.bytes);
  bytes[0] = protocol;
  return Buffer.concat([header, bytes]);
}

function tcpHeader(fields: FrameFields): Buffer {
  const options = fields.options ?? new Uint8Array();
  const header = Buffer.alloc(20 + options.length);
  header.writeUInt16BE(40_000);
  header.writeUInt16BE(fields.destinationPort ?? 5001, 2);
  header.writeUInt32BE(fields.sequence ?? 1, 4);
  header.writeUInt32BE(fields.acknowledgement ?? 7, 8);
  header[12] = (header.length / 4) << 4;
  header[13] = fields.flags ?? 0x10;
  header.writeUInt16BE(fields.window ?? 500, 14);
  header.set(options, 20);
  return header;
}

function udpHeader(fields: FrameFields): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(40_000);
  header.writeUInt16BE(fields.destinationPort ?? 5001, 2);
  header.writeUInt16BE(8 + fields.payload.length, 4);
  return header;
}
