import {
  IPV6_HEADER_BYTES,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportHeader,
  word,
  writeWord,
} from '../ethernet/transport-header.ts';
import { TCP_CHECKSUM, UDP_CHECKSUM } from './check.ts';
import { checksumOf, fold, pseudoHeaderSum, sumOf } from './checksum.ts';
import { GRE_CHECKSUM_PRESENT, type Layers, PROTOCOL_GRE } from './encapsulation.ts';

const TCP_FIN = 0x01;
const TCP_PSH = 0x08;
const TCP_CWR = 0x80;

const GRE_CHECKSUM = 4;

/**
 * Corrects the headers of one segment, which are copies of its super-frame's:
 * lengths, identifications, sequence number, TCP flags and checksums. It goes from the
 * inside out, since an outer UDP checksum covers the inner ones.
 *
 * @param frame the position of the segment's first octet
 * @param ordinal 0 for the first segment
 * @param payloadOffset octets of payload in the segments before this one
 */
export function writeSegmentHeaders(
  bytes: Uint8Array,
  frame: number,
  frameBytes: number,
  layers: Layers,
  ordinal: number,
  payloadOffset: number,
  isLast: boolean,
): void {
  const { inner } = layers;
  writeNetworkHeader(bytes, frame, frameBytes, inner, ordinal);
  writeTransportHeader(bytes, frame, frameBytes, inner, payloadOffset, ordinal === 0, isLast);
  if (layers.outerCount === 0) return;
  let summedFrom = inner.transportStart;
  // A correct checksum makes pseudo-header and transport part sum up to 0xffff. So the sum of the transport part follows
  // from the pseudo-header, and the payload is not read again.
  let sum = ~fold(pseudoSumOf(bytes, frame, inner, frameBytes - inner.transportStart)) & 0xffff;
  for (let index = layers.outerCount - 1; index >= 0; index--) {
    const outer = layers.outer(index);
    writeNetworkHeader(bytes, frame, frameBytes, outer, ordinal);
    sum = writeEncapsulation(bytes, frame, frameBytes, outer, summedFrom, sum);
    summedFrom = outer.transportStart;
  }
}

function writeNetworkHeader(
  bytes: Uint8Array,
  frame: number,
  frameBytes: number,
  header: TransportHeader,
  ordinal: number,
): void {
  const at = frame + header.networkStart;
  if (header.isIpv6) {
    writeWord(bytes, at + 4, frameBytes - header.networkStart - IPV6_HEADER_BYTES);
    return;
  }
  const headerEnd = at + ((bytes[at] as number) & 0xf) * 4;
  writeWord(bytes, at + 2, frameBytes - header.networkStart);
  writeWord(bytes, at + 4, word(bytes, at + 4) + ordinal);
  writeWord(bytes, at + 10, 0);
  writeWord(bytes, at + 10, checksumOf(sumOf(bytes, at, headerEnd)));
}

function writeTransportHeader(
  bytes: Uint8Array,
  frame: number,
  frameBytes: number,
  header: TransportHeader,
  payloadOffset: number,
  isFirst: boolean,
  isLast: boolean,
): void {
  const at = frame + header.transportStart;
  const transportBytes = frameBytes - header.transportStart;
  const isTcp = header.protocol === PROTOCOL_TCP;
  if (isTcp) {
    const sequence = (word(bytes, at + 4) * 0x1_0000 + word(bytes, at + 6) + payloadOffset) >>> 0;
    writeWord(bytes, at + 4, sequence >>> 16);
    writeWord(bytes, at + 6, sequence);
    // FIN and PSH belong to the last segment only, CWR to the first only (RFC 3168, 6.1.2).
    const cleared = (isLast ? 0 : TCP_FIN | TCP_PSH) | (isFirst ? 0 : TCP_CWR);
    bytes[at + 13] = (bytes[at + 13] as number) & ~cleared;
  } else {
    writeWord(bytes, at + 4, transportBytes);
  }
  const checksumAt = at + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM);
  writeWord(bytes, checksumAt, 0);
  const pseudo = pseudoSumOf(bytes, frame, header, transportBytes);
  const checksum = checksumOf(sumOf(bytes, at, frame + frameBytes, pseudo));
  writeWord(bytes, checksumAt, isTcp ? checksum : checksum || 0xffff);
}

/**
 * Corrects the UDP or GRE header behind the IP header of `outer`, if there is one.
 *
 * @param summedFrom `innerSum` is the sum of the octets from here to the frame's end
 * @returns the sum of everything behind the IP header of `outer`
 */
function writeEncapsulation(
  bytes: Uint8Array,
  frame: number,
  frameBytes: number,
  outer: TransportHeader,
  summedFrom: number,
  innerSum: number,
): number {
  const at = frame + outer.transportStart;
  const end = frame + summedFrom;
  if (outer.protocol === PROTOCOL_UDP) {
    const transportBytes = frameBytes - outer.transportStart;
    writeWord(bytes, at + 4, transportBytes);
    // 0 means no checksum (RFC 768; RFC 6935 for IPv6).
    if (word(bytes, at + UDP_CHECKSUM) !== 0) {
      writeWord(bytes, at + UDP_CHECKSUM, 0);
      const pseudo = pseudoSumOf(bytes, frame, outer, transportBytes);
      writeWord(bytes, at + UDP_CHECKSUM, checksumOf(sumOf(bytes, at, end, innerSum + pseudo)) || 0xffff);
    }
  } else if (outer.protocol === PROTOCOL_GRE && (word(bytes, at) & GRE_CHECKSUM_PRESENT) !== 0) {
    writeWord(bytes, at + GRE_CHECKSUM, 0);
    writeWord(bytes, at + GRE_CHECKSUM, checksumOf(sumOf(bytes, at, end, innerSum)));
  }
  return fold(sumOf(bytes, at, end, innerSum));
}

/** The sum of the pseudo-header of the frame at `frame`, for a transport part of `transportBytes` octets. */
export function pseudoSumOf(bytes: Uint8Array, frame: number, header: TransportHeader, transportBytes: number): number {
  const at = frame + header.networkStart;
  const protocol = header.protocol === PROTOCOL_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
  return header.isIpv6
    ? pseudoHeaderSum(bytes, at + 8, 16, protocol, transportBytes)
    : pseudoHeaderSum(bytes, at + 12, 4, protocol, transportBytes);
}
