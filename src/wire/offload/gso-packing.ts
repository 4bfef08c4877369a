import type { FrameBatch } from '../ethernet/frame-batch.ts';
import {
  IPV6_HEADER_BYTES,
  PROTOCOL_UDP,
  type TransportHeader,
  UDP_HEADER_BYTES,
  word,
  writeWord,
} from '../ethernet/transport-header.ts';
import { MAX_HEADER_BYTES, UDP_CHECKSUM } from './check.ts';
import { checksumOf, fold, sumOf } from './checksum.ts';
import type { Layers } from './encapsulation.ts';
import { pseudoSumOf, writeSegmentHeaders } from './gso-headers.ts';
import { beginRecord } from './records.ts';
import {
  FLAG_NEEDS_CSUM,
  GSO_NONE,
  GSO_UDP_L4,
  OFFLOAD_CHECKSUM,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_USO,
  type Offloads,
  writeOffloadHeader,
} from './virtio-header.ts';

const MAX_PACKET_BYTES = 65535;
/** UDP_MAX_SEGMENTS of the oldest kernels with UDP_L4; newer ones accept 128. */
const MAX_PACK_SEGMENTS = 64;
const NEEDED: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_USO;

/** One complete segment. It is then copied into the pack without its outer headers. */
const segment = Buffer.allocUnsafeSlow(MAX_HEADER_BYTES + MAX_PACKET_BYTES);
const checksumInUdp = { flags: FLAG_NEEDS_CSUM, headerBytes: 0, checksumStart: 0, checksumOffset: UDP_CHECKSUM };
const packHeader = { ...checksumInUdp, gsoType: GSO_UDP_L4, gsoSize: 0 };
const singleHeader = { ...checksumInUdp, gsoType: GSO_NONE, gsoSize: 0 };

/**
 * How many segments of a checked super-frame fit into one UDP super-frame
 * for an egress that takes `offloads`; 1 when they cannot be packed.
 */
export function segmentsInPack(
  bytes: Uint8Array,
  start: number,
  gsoSize: number,
  layers: Layers,
  offloads: Offloads,
): number {
  const outer = layers.outer(0);
  if ((offloads & NEEDED) !== NEEDED || layers.outerCount !== 1 || outer.protocol !== PROTOCOL_UDP) return 1;
  // UDP segmentation by the egress writes a checksum, so a datagram without one must not be packed.
  if (word(bytes, start + outer.transportStart + UDP_CHECKSUM) === 0) return 1;
  const front = outer.transportStart + UDP_HEADER_BYTES;
  const pieceBytes = layers.inner.payloadStart - front + gsoSize;
  return Math.min(MAX_PACK_SEGMENTS, Math.floor((MAX_PACKET_BYTES - (front - outer.networkStart)) / pieceBytes));
}

/**
 * Appends the segments in packs of up to `most`. A pack is a UDP super-frame: contiguous
 * encapsulated segments behind one outer header, with one segment as its gso_size.
 * `out` has room for all segments as single frames; packs need less.
 */
export function packSegments(
  bytes: Buffer,
  start: number,
  length: number,
  gsoSize: number,
  layers: Layers,
  most: number,
  out: FrameBatch,
): void {
  const outer = layers.outer(0);
  const headerBytes = layers.inner.payloadStart;
  const front = outer.transportStart + UDP_HEADER_BYTES;
  const payloadBytes = length - headerBytes;
  const count = Math.ceil(payloadBytes / gsoSize);
  for (let first = 0; first < count; first += most) {
    const end = Math.min(count, first + most);
    const at = beginRecord(out);
    let packed = front;
    for (let ordinal = first; ordinal < end; ordinal++) {
      const from = ordinal * gsoSize;
      const whole = headerBytes + Math.min(gsoSize, payloadBytes - from);
      bytes.copy(segment, 0, start, start + headerBytes);
      bytes.copy(segment, headerBytes, start + headerBytes + from, start + from + whole);
      writeSegmentHeaders(segment, 0, whole, layers, ordinal, from, ordinal === count - 1);
      if (ordinal === first) segment.copy(out.bytes, at, 0, front);
      segment.copy(out.bytes, at + packed, front, whole);
      packed += whole - front;
    }
    writeOuterHeaders(out.bytes, at, packed, outer);
    const isSingle = end - first === 1;
    const header = isSingle ? singleHeader : packHeader;
    header.headerBytes = front;
    header.checksumStart = outer.transportStart;
    if (!isSingle) header.gsoSize = headerBytes - front + gsoSize;
    writeOffloadHeader(out.bytes, at - OFFLOAD_HEADER_BYTES, header);
    out.push(at, packed);
  }
}

/** Corrects the outer headers of a pack, which are copies of its first segment's. */
function writeOuterHeaders(bytes: Uint8Array, frame: number, length: number, outer: TransportHeader): void {
  const network = frame + outer.networkStart;
  const udp = frame + outer.transportStart;
  const udpBytes = length - outer.transportStart;
  if (outer.isIpv6) {
    writeWord(bytes, network + 4, length - outer.networkStart - IPV6_HEADER_BYTES);
  } else {
    writeWord(bytes, network + 2, length - outer.networkStart);
    writeWord(bytes, network + 10, 0);
    writeWord(bytes, network + 10, checksumOf(sumOf(bytes, network, udp)));
  }
  writeWord(bytes, udp + 4, udpBytes);
  writeWord(bytes, udp + UDP_CHECKSUM, fold(pseudoSumOf(bytes, frame, outer, udpBytes)));
}
