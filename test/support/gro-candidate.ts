import type { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import {
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  locateTransport,
  PROTOCOL_TCP,
  TransportHeader,
  word,
} from '../../src/wire/ethernet/transport-header.ts';
import { checkOffload, TCP_CHECKSUM } from '../../src/wire/offload/check.ts';
import { fold, sumOf } from '../../src/wire/offload/checksum.ts';
import { Layers } from '../../src/wire/offload/encapsulation.ts';
import { segmentCount } from '../../src/wire/offload/gso.ts';
import { pseudoSumOf } from '../../src/wire/offload/gso-headers.ts';
import {
  checksumOffsetOf,
  checksumStartOf,
  FLAG_DATA_VALID,
  flagsOf,
  GSO_NONE,
  gsoSizeOf,
  gsoTypeOf,
  neededOffloads,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_NONE,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  type OffloadFault,
  type Offloads,
} from '../../src/wire/offload/virtio-header.ts';

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;
export const TCP_CWR = 0x80;

/**
 * The role of a frame in merging:
 * - `apart`: of no TCP flow, so its order relative to flows is free
 * - `barrier`: perhaps of any TCP flow, so no frame may overtake it
 * - `whole`: of this flow, and stays unchanged
 * - `segment`: of this flow, and may be merged
 */
export type Standing =
  | { readonly kind: 'apart' }
  | { readonly kind: 'barrier' }
  | { readonly kind: 'whole'; readonly flow: string }
  | GroSegment;

/** A TCP segment, or a super-frame, whose checksums are right or verified. */
export interface GroSegment {
  readonly kind: 'segment';
  /** VLANs, addresses and ports, as text for comparison. */
  readonly flow: string;
  readonly index: number;
  readonly start: number;
  readonly headers: TransportHeader;
  readonly payloadBytes: number;
  /** Payload of each of its segments; the last one may have less. */
  readonly segmentBytes: number;
  readonly segments: number;
  readonly sequence: number;
  /** IPv4 identification; 0 in IPv6. */
  readonly id: number;
  readonly flags: number;
}

const layers = new Layers();

export function standingOf(batch: FrameBatch, index: number, offloads: Offloads): Standing {
  const { bytes } = batch;
  const start = batch.starts[index] as number;
  const length = batch.lengths[index] as number;
  const headers = new TransportHeader();
  const offloadAt = start - OFFLOAD_HEADER_BYTES;
  const needed = batch.hasOffloadHeaders ? neededOffloads(bytes, offloadAt) : OFFLOAD_NONE;
  if (needed !== OFFLOAD_NONE && checkOffload(bytes, start, length, offloadAt, layers) !== undefined) {
    return { kind: 'barrier' };
  }
  const fault = locateTransport(bytes, start, length, headers);
  if (fault !== undefined) return { kind: isApart(fault, headers) ? 'apart' : 'barrier' };
  if (headers.protocol !== PROTOCOL_TCP) return { kind: 'apart' };

  const flow = flowOf(bytes, start, headers);
  const flags = bytes[start + headers.transportStart + 13] as number;
  const payloadBytes = headers.networkEnd - headers.payloadStart;
  if (
    // Padding after the packet would become payload.
    headers.networkEnd !== length ||
    payloadBytes === 0 ||
    (flags & (TCP_SYN | TCP_RST | TCP_URG | TCP_ACK)) !== TCP_ACK ||
    !egressTakes(offloads, headers.isIpv6, flags) ||
    !networkHeaderIsPlain(bytes, start, headers) ||
    !checksumIsTrusted(batch, start, length, needed, headers)
  ) {
    return { kind: 'whole', flow };
  }
  const isSuper = needed !== OFFLOAD_NONE && gsoTypeOf(bytes, offloadAt) !== GSO_NONE;
  const gsoSize = isSuper ? gsoSizeOf(bytes, offloadAt) : payloadBytes;
  const transport = start + headers.transportStart;
  return {
    kind: 'segment',
    flow,
    index,
    start,
    headers,
    payloadBytes,
    segmentBytes: Math.min(gsoSize, payloadBytes),
    segments: segmentCount(payloadBytes, gsoSize),
    sequence: word(bytes, transport + 4) * 0x1_0000 + word(bytes, transport + 6),
    id: headers.isIpv6 ? 0 : word(bytes, start + headers.networkStart + 4),
    flags,
  };
}

/** Whether a frame without a TCP or UDP header is certainly of no TCP flow. */
function isApart(fault: OffloadFault, headers: TransportHeader): boolean {
  if (fault === 'protocol') return true;
  return fault === 'fragment' && !headers.isIpv6 && headers.protocol !== PROTOCOL_TCP;
}

function flowOf(bytes: Buffer, start: number, headers: TransportHeader): string {
  const network = start + headers.networkStart;
  const addresses = network + (headers.isIpv6 ? 8 : 12);
  const ports = start + headers.transportStart;
  return (
    bytes.toString('latin1', start, network) +
    bytes.toString('latin1', addresses, addresses + (headers.isIpv6 ? 32 : 8)) +
    bytes.toString('latin1', ports, ports + 4)
  );
}

function egressTakes(offloads: Offloads, isIpv6: boolean, flags: number): boolean {
  const segmentation = isIpv6 ? OFFLOAD_TSO6 : OFFLOAD_TSO4;
  const ecn = (flags & TCP_CWR) === 0 ? OFFLOAD_NONE : OFFLOAD_TSO_ECN;
  return (offloads & (segmentation | ecn)) === (segmentation | ecn);
}

/** No options, no extension headers, and a right IPv4 header checksum, since it is computed again. */
function networkHeaderIsPlain(bytes: Uint8Array, start: number, headers: TransportHeader): boolean {
  const headerBytes = headers.transportStart - headers.networkStart;
  if (headers.isIpv6) return headerBytes === IPV6_HEADER_BYTES;
  const at = start + headers.networkStart;
  return headerBytes === IPV4_HEADER_BYTES && fold(sumOf(bytes, at, at + IPV4_HEADER_BYTES)) === 0xffff;
}

/**
 * The merged frame gets a new checksum, which covers up a wrong one. So the segment's
 * checksum must be right, or partial, or verified by the ingress port.
 */
function checksumIsTrusted(
  batch: FrameBatch,
  start: number,
  length: number,
  needed: Offloads,
  headers: TransportHeader,
): boolean {
  const offloadAt = start - OFFLOAD_HEADER_BYTES;
  if (needed !== OFFLOAD_NONE) {
    return (
      checksumStartOf(batch.bytes, offloadAt) === headers.transportStart &&
      checksumOffsetOf(batch.bytes, offloadAt) === TCP_CHECKSUM
    );
  }
  if (batch.hasOffloadHeaders && (flagsOf(batch.bytes, offloadAt) & FLAG_DATA_VALID) !== 0) return true;
  const pseudo = pseudoSumOf(batch.bytes, start, headers, length - headers.transportStart);
  return fold(sumOf(batch.bytes, start + headers.transportStart, start + length, pseudo)) === 0xffff;
}
