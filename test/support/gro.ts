import type { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, word, writeWord } from '../../src/wire/ethernet/transport-header.ts';
import { MAX_SEGMENTS, TCP_CHECKSUM } from '../../src/wire/offload/check.ts';
import { checksumOf, fold, sumOf } from '../../src/wire/offload/checksum.ts';
import { pseudoSumOf } from '../../src/wire/offload/gso-headers.ts';
import { beginRecord, endOf, RECORD_LEAD_BYTES } from '../../src/wire/offload/records.ts';
import {
  FLAG_NEEDS_CSUM,
  GSO_ECN,
  GSO_TCPV4,
  GSO_TCPV6,
  OFFLOAD_HEADER_BYTES,
  type Offloads,
  writeOffloadHeader,
} from '../../src/wire/offload/virtio-header.ts';
import { type GroSegment, standingOf, TCP_CWR, TCP_FIN, TCP_PSH } from './gro-candidate.ts';

/**
 * Merges consecutive TCP segments of a flow to one super-frame, as Linux does at
 * ingress (GRO), so that the kernel behind a TAP handles 64 KiB at a time.
 *
 * 1. Frames are taken in order. A frame that continues the open group of its
 *    flow joins it; any other one begins a new group, after all others.
 * 2. So frames of one flow keep their order, and flows have the order of their
 *    first segments.
 * 3. A segment that no other may follow (short, PSH, FIN) closes its group. So
 *    does a frame of the flow that cannot join.
 * 4. A group of one frame stays unchanged.
 *
 * Segments are merged only if a segmenter can restore them: they must agree in
 * all fields but length, identification, sequence number, checksum, and the PSH
 * and FIN of the last one.
 */

/** The number of frames in a window; segments of different windows are not merged. */
export const GRO_WINDOW_FRAMES = 256;
/** Limit of open flows; a further one closes the one that was opened first. */
export const GRO_FLOWS = 16;
const MAX_PACKET_BYTES = 65_535;
const DONT_FRAGMENT = 0x4000;

interface Group {
  readonly frames: number[];
  /** The first segment, whose headers are those of the group; absent when no other may join. */
  readonly head?: GroSegment;
  payloadBytes: number;
  segments: number;
  /** The step of the IPv4 identification from segment to segment; known from the second one on. */
  idStep?: 0 | 1;
  closingFlags: number;
}

/**
 * Appends to `out` the frames of `batch` that `indices` names, merged where
 * possible, as records like those of finishFrame; a merged frame needs a
 * checksum and segmentation.
 *
 * @param count the number of used `indices`
 * @param offloads the offloads that the egress takes
 * @returns `queueFull` when `out` has no room for all frames unmerged; then nothing was appended
 */
export function applyGro(
  batch: FrameBatch,
  indices: Uint32Array,
  count: number,
  offloads: Offloads,
  out: FrameBatch,
): 'queueFull' | undefined {
  let octets = endOf(out);
  for (let position = 0; position < count; position++) {
    octets += RECORD_LEAD_BYTES + (batch.lengths[indices[position] as number] as number);
  }
  if (octets > out.bytes.length) return 'queueFull';
  out.hasOffloadHeaders = true;
  for (let from = 0; from < count; from += GRO_WINDOW_FRAMES) {
    const window = indices.subarray(from, Math.min(count, from + GRO_WINDOW_FRAMES));
    for (const group of groupsOf(batch, window, offloads)) appendGroup(batch, group, out);
  }
  return undefined;
}

function groupsOf(batch: FrameBatch, indices: Uint32Array, offloads: Offloads): Group[] {
  const groups: Group[] = [];
  const flows = new OpenFlows();
  for (const index of indices) {
    const standing = standingOf(batch, index, offloads);
    if (standing.kind === 'segment') {
      const open = flows.find(standing.flow);
      if (open !== undefined && canJoin(batch.bytes, open, standing)) {
        join(open, standing);
        if (isClosedBy(standing, open)) flows.close(standing.flow);
      } else {
        flows.close(standing.flow);
        const group = groupOf(standing);
        groups.push(group);
        if (!isClosedBy(standing, group)) flows.open(standing.flow, group);
      }
      continue;
    }
    if (standing.kind === 'barrier') flows.closeAll();
    if (standing.kind === 'whole') flows.close(standing.flow);
    groups.push({ frames: [index], payloadBytes: 0, segments: 0, closingFlags: 0 });
  }
  return groups;
}

/** The flows whose last group is open: a ring, so that only the order decides which flow is dropped. */
class OpenFlows {
  readonly #slots: ({ flow: string; group: Group } | undefined)[] = new Array(GRO_FLOWS).fill(undefined);
  #next = 0;

  find(flow: string): Group | undefined {
    return this.#slots.find((slot) => slot?.flow === flow)?.group;
  }

  open(flow: string, group: Group): void {
    this.#slots[this.#next] = { flow, group };
    this.#next = (this.#next + 1) % GRO_FLOWS;
  }

  close(flow: string): void {
    const at = this.#slots.findIndex((slot) => slot?.flow === flow);
    if (at >= 0) this.#slots[at] = undefined;
  }

  closeAll(): void {
    this.#slots.fill(undefined);
  }
}

function groupOf(head: GroSegment): Group {
  const group: Group = {
    frames: [head.index],
    head,
    payloadBytes: head.payloadBytes,
    segments: head.segments,
    closingFlags: 0,
  };
  if (head.segments > 1) group.idStep = 1;
  return group;
}

/** Whether no segment may follow `last` in `group`, which it has just joined. */
function isClosedBy(last: GroSegment, group: Group): boolean {
  const segmentBytes = group.head?.segmentBytes ?? 0;
  return (last.flags & (TCP_PSH | TCP_FIN)) !== 0 || group.payloadBytes % segmentBytes !== 0;
}

function canJoin(bytes: Buffer, group: Group, next: GroSegment): boolean {
  const { head } = group;
  if (head === undefined) return false;
  const payloadBytes = group.payloadBytes + next.payloadBytes;
  return (
    next.sequence === (head.sequence + group.payloadBytes) >>> 0 &&
    (next.flags & TCP_CWR) === 0 &&
    ((next.flags ^ head.flags) & ~(TCP_CWR | TCP_PSH | TCP_FIN)) === 0 &&
    (next.segments > 1 ? next.segmentBytes === head.segmentBytes : next.payloadBytes <= head.segmentBytes) &&
    head.headers.payloadStart - head.headers.networkStart + payloadBytes <= MAX_PACKET_BYTES &&
    payloadBytes <= head.segmentBytes * MAX_SEGMENTS &&
    headersAgree(bytes, head, next) &&
    (head.headers.isIpv6 || idStepOf(bytes, group, head, next) !== undefined)
  );
}

/** The step of the identification to `next`; undefined for an invalid one. */
function idStepOf(bytes: Buffer, group: Group, head: GroSegment, next: GroSegment): 0 | 1 | undefined {
  if (group.idStep !== 0 && next.id === ((head.id + group.segments) & 0xffff)) return 1;
  // The identification of a packet with DF has no meaning (RFC 6864, 4.1); some senders keep it constant.
  const neverFragmented = (word(bytes, head.start + head.headers.networkStart + 6) & DONT_FRAGMENT) !== 0;
  return group.idStep !== 1 && neverFragmented && next.id === head.id && next.segments === 1 ? 0 : undefined;
}

function headersAgree(bytes: Buffer, head: GroSegment, next: GroSegment): boolean {
  if (head.headers.payloadStart !== next.headers.payloadStart) return false;
  const agree = (from: number, to: number) =>
    bytes.compare(bytes, next.start + from, next.start + to, head.start + from, head.start + to) === 0;
  const network = head.headers.networkStart;
  const transport = head.headers.transportStart;
  // IPv6: version, class and flow label; hop limit. IPv4: version and TOS; fragment bits and TTL.
  const networkAgrees = head.headers.isIpv6
    ? agree(network, network + 4) && agree(network + 7, network + 8)
    : agree(network, network + 2) && agree(network + 6, network + 9);
  // Acknowledgement, data offset with the reserved bits, window, urgent pointer, options.
  return (
    networkAgrees &&
    agree(transport + 8, transport + 13) &&
    agree(transport + 14, transport + 16) &&
    agree(transport + 18, head.headers.payloadStart)
  );
}

function join(group: Group, next: GroSegment): void {
  const { head } = group;
  if (group.idStep === undefined && head !== undefined) {
    group.idStep = next.id === ((head.id + group.segments) & 0xffff) ? 1 : 0;
  }
  group.frames.push(next.index);
  group.payloadBytes += next.payloadBytes;
  group.segments += next.segments;
  group.closingFlags = next.flags & (TCP_PSH | TCP_FIN);
}

function appendGroup(batch: FrameBatch, group: Group, out: FrameBatch): void {
  const at = beginRecord(out);
  const { head, frames } = group;
  const first = frames[0] as number;
  if (head === undefined || frames.length === 1) {
    if (batch.hasOffloadHeaders) out.bytes.set(batch.offloadHeader(first), at - OFFLOAD_HEADER_BYTES);
    out.bytes.set(batch.frame(first), at);
    out.push(at, batch.lengths[first] as number);
    return;
  }
  const headerBytes = head.headers.payloadStart;
  let end = at + headerBytes;
  out.bytes.set(batch.frame(first).subarray(0, headerBytes), at);
  for (const index of frames) {
    const payload = batch.frame(index).subarray(headerBytes);
    out.bytes.set(payload, end);
    end += payload.length;
  }
  writeMergedHeaders(out.bytes, at, group, head);
  out.push(at, end - at);
}

function writeMergedHeaders(bytes: Buffer, at: number, group: Group, head: GroSegment): void {
  const { isIpv6, networkStart, transportStart, payloadStart } = head.headers;
  const network = at + networkStart;
  const transport = at + transportStart;
  const transportBytes = payloadStart - transportStart + group.payloadBytes;
  if (isIpv6) {
    writeWord(bytes, network + 4, transportStart - networkStart - IPV6_HEADER_BYTES + transportBytes);
  } else {
    writeWord(bytes, network + 2, transportStart - networkStart + transportBytes);
    writeWord(bytes, network + 10, 0);
    writeWord(bytes, network + 10, checksumOf(sumOf(bytes, network, network + IPV4_HEADER_BYTES)));
  }
  bytes[transport + 13] = head.flags | group.closingFlags;
  // A partial checksum: the sum of the pseudo-header, which segmentation completes.
  writeWord(bytes, transport + TCP_CHECKSUM, fold(pseudoSumOf(bytes, at, head.headers, transportBytes)));
  writeOffloadHeader(bytes, at - OFFLOAD_HEADER_BYTES, {
    flags: FLAG_NEEDS_CSUM,
    gsoType: (isIpv6 ? GSO_TCPV6 : GSO_TCPV4) | ((head.flags & TCP_CWR) === 0 ? 0 : GSO_ECN),
    headerBytes: payloadStart,
    gsoSize: head.segmentBytes,
    checksumStart: transportStart,
    checksumOffset: TCP_CHECKSUM,
  });
}
