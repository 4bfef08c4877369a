import { MAX_SUPER_FRAME_BYTES } from '../ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../ethernet/frame-batch.ts';
import { RECORD_LEAD_BYTES } from '../offload/records.ts';
import {
  OFFLOAD_CHECKSUM,
  OFFLOAD_HEADER_BYTES,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  type Offloads,
} from '../offload/virtio-header.ts';

/**
 * The batched wire, version 1 (docs/reference/protocol.md). A binary message begins with
 * one octet of type. A message of frames goes on with three reserved octets and with
 * records:
 *
 * ```text
 *   0    frame's length   4, network byte order
 *   4    offload header  10, virtio-header.ts
 *   14   frame
 * ```
 *
 * A device's slab has the same record layout, so consecutive frames of a slab
 * become a message in place.
 */
export const WIRE_VERSION = '1';
/** The header of the opening handshake in which both sides name the version. */
export const WIRE_HEADER = 'Etherws-Wire';

export const MESSAGE_HEAD_BYTES = 4;
export { RECORD_LEAD_BYTES };
/** The longest message; a receiver may refuse a longer one. */
export const MAX_TUNNEL_MESSAGE_BYTES: number = 1024 * 1024;
/** The offloads that a frame of version 1 may need. */
export const WIRE_OFFLOADS: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN;

const TYPE_FRAMES = 0x01;
/** Messages of unknown types from here on are ignored; of those below they are a protocol error. */
const FIRST_CONTROL_TYPE = 0x80;

/** @param offered versions, separated by commas @returns WIRE_VERSION if it is among them */
export function selectWireVersion(offered: string | undefined): string | undefined {
  return offered?.split(',').some((version) => version.trim() === WIRE_VERSION) ? WIRE_VERSION : undefined;
}

/** Writes the head of a message of frames at `at`. @returns the position behind it */
export function writeMessageHead(target: Buffer, at: number): number {
  target[at] = TYPE_FRAMES;
  target[at + 1] = 0;
  target[at + 2] = 0;
  target[at + 3] = 0;
  return at + MESSAGE_HEAD_BYTES;
}

/** Writes frame `index` of a batch as a record at `at`. @returns the position behind it */
export function writeRecord(target: Buffer, at: number, batch: FrameBatch, index: number): number {
  const start = batch.starts[index] as number;
  const length = batch.lengths[index] as number;
  const headerAt = target.writeUInt32BE(length, at);
  const frameAt = headerAt + OFFLOAD_HEADER_BYTES;
  if (batch.hasOffloadHeaders) {
    copyOctets(batch.bytes, start - OFFLOAD_HEADER_BYTES, target, headerAt, OFFLOAD_HEADER_BYTES + length);
  } else {
    target.fill(0, headerAt, frameAt);
    copyOctets(batch.bytes, start, target, frameAt, length);
  }
  return frameAt + length;
}

/** Below this length a loop is faster than a call of Buffer.copy. */
const MIN_COPY_CALL_BYTES = 256;

function copyOctets(source: Buffer, from: number, target: Buffer, to: number, length: number): void {
  if (length < MIN_COPY_CALL_BYTES) {
    for (let i = 0; i < length; i++) target[to + i] = source[from + i] as number;
  } else {
    source.copy(target, to, from, from + length);
  }
}

/**
 * Calls `onFrame` for each frame of a message. Its offload header is in the ten
 * octets in front of it, unchecked. Control messages are ignored.
 * @returns the violation of the protocol; `onFrame` was called for the frames before it
 */
export function readMessage(
  bytes: Buffer,
  start: number,
  length: number,
  onFrame: (bytes: Buffer, start: number, length: number) => void,
): string | undefined {
  if (length === 0) return 'message without a type';
  const type = bytes[start] as number;
  if (type >= FIRST_CONTROL_TYPE) return undefined;
  if (type !== TYPE_FRAMES) return `message of type ${type}`;
  const end = start + length;
  if (length < MESSAGE_HEAD_BYTES) return 'message of frames without its head';
  for (let at = start + MESSAGE_HEAD_BYTES; at < end; ) {
    if (end - at < RECORD_LEAD_BYTES) return 'record that ends inside its header';
    const frameBytes = bytes.readUInt32BE(at);
    const frameAt = at + RECORD_LEAD_BYTES;
    if (frameBytes > MAX_SUPER_FRAME_BYTES) return `frame of ${frameBytes} octets`;
    if (frameBytes > end - frameAt) return 'record that exceeds its message';
    onFrame(bytes, frameAt, frameBytes);
    at = frameAt + frameBytes;
  }
  return undefined;
}
