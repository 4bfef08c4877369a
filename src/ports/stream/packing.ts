import { MIN_WIRE_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE, type Offloads } from '../../wire/offload/virtio-header.ts';
import {
  MESSAGE_HEAD_BYTES,
  RECORD_LEAD_BYTES,
  WIRE_OFFLOADS,
  writeMessageHead,
  writeRecord,
} from '../../wire/tunnel/tunnel-message.ts';
import { MAX_HEADER_BYTES, type MessageEncoder, OPCODE_BINARY } from '../../wire/websocket/framing.ts';

/** The encoding of frames in messages: `raw` as in etherws 1.x, or `batched` (docs/reference/protocol.md). */
export type Wire = 'raw' | 'batched';

/** The wires that a side offers: `auto` offers both, and the batched one is used when the peer supports it. */
export type WireChoice = 'auto' | 'raw';

/** Frames of one flush, in order: frame `indexes[i]` of `batches[i]`, for `from` ≤ `i` < `to`. */
export interface NotedFrames {
  readonly batches: readonly FrameBatch[];
  readonly indexes: readonly number[];
  /** The range of `i`. */
  readonly from: number;
  readonly to: number;
}

/** The encoder of one wire. It has no state: all tunnels share one of each. */
export interface Packing {
  /** Shorter frames are padded to this length in octets. */
  readonly leastBytes: number;
  readonly offloads: Offloads;
  /** The most octets that a frame of `length` octets adds to the stream. */
  sizeOf(length: number): number;
  /** Writes the frames at `at`; `target` must have room for the sum of `sizeOf`. @returns the position behind them */
  pack(encoder: MessageEncoder, target: Buffer, at: number, frames: NotedFrames): number;
}

/**
 * One message per frame, padded to the minimum frame length (802.3, 3.2.8): a raw peer may put the frame on a wire or
 * hand it to an emulated network adapter without padding it.
 */
const RAW: Packing = {
  leastBytes: MIN_WIRE_BYTES,
  offloads: OFFLOAD_NONE,
  sizeOf: (length) => MAX_HEADER_BYTES + Math.max(length, MIN_WIRE_BYTES),
  pack(encoder, target, at, { batches, indexes, from: first, to: last }) {
    let end = at;
    for (let from = first; from < last; ) {
      const batch = batches[from] as FrameBatch;
      let to = from + 1;
      while (to < last && batches[to] === batch) to++;
      end = encoder.encodeFrames(target, end, batch, indexes, from, to, MIN_WIRE_BYTES);
      from = to;
    }
    return end;
  },
};

/** The length above which no frame is added to a message: the receiver waits for a whole message before it begins. */
const MESSAGE_BYTES = 128 * 1024;
/** Overhead of a record that begins a message: the worst case. */
const RECORD_OVERHEAD_BYTES = MAX_HEADER_BYTES + MESSAGE_HEAD_BYTES + RECORD_LEAD_BYTES;

/** Many frames per message, each with its offload header. */
const BATCHED: Packing = {
  leastBytes: 0,
  offloads: WIRE_OFFLOADS,
  sizeOf: (length) => RECORD_OVERHEAD_BYTES + length,
  pack(encoder, target, at, frames) {
    const { batches, indexes } = frames;
    let end = at;
    for (let from = frames.from; from < frames.to; ) {
      const { to, payloadBytes } = messageFrom(frames, from);
      const written = encoder.encodeRecords(target, end, batches[from] as FrameBatch, indexes, from, to);
      if (written !== undefined) {
        end = written;
        from = to;
        continue;
      }
      const payloadStart = encoder.begin(target, end, OPCODE_BINARY, payloadBytes);
      end = writeMessageHead(target, payloadStart);
      for (; from < to; from++) end = writeRecord(target, end, batches[from] as FrameBatch, indexes[from] as number);
      encoder.finish(target, payloadStart, payloadBytes);
    }
    return end;
  },
};

export const PACKINGS: Readonly<Record<Wire, Packing>> = { raw: RAW, batched: BATCHED };

/** The frames from `from` on that make one message: frames of one batch, as many as MESSAGE_BYTES allows. */
function messageFrom({ batches, indexes, to: last }: NotedFrames, from: number): { to: number; payloadBytes: number } {
  const batch = batches[from] as FrameBatch;
  let payloadBytes = MESSAGE_HEAD_BYTES;
  let to = from;
  do {
    payloadBytes += RECORD_LEAD_BYTES + (batch.lengths[indexes[to] as number] as number);
    to++;
  } while (to < last && batches[to] === batch && payloadBytes < MESSAGE_BYTES);
  return { to, payloadBytes };
}
