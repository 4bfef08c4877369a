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

/** How frames become messages: `raw` is that of 1.x, `batched` our own (docs/reference/protocol.md). */
export type Wire = 'raw' | 'batched';

/** What a side is willing to speak: `auto` is the best that both know. */
export type WireChoice = 'auto' | 'raw';

/** Frames of one flush, in order: frame `indexes[i]` of `batches[i]`, for `i` from `from` to below `to`. */
export interface NotedFrames {
  readonly batches: readonly FrameBatch[];
  readonly indexes: readonly number[];
  /** The first one, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** One wire's way of writing frames. It keeps nothing: all tunnels share one of each. */
export interface Packing {
  /** Shorter frames are padded to so many octets. */
  readonly leastBytes: number;
  readonly offloads: Offloads;
  /** The most octets that a frame of so many adds to the stream. */
  sizeOf(length: number): number;
  /** Writes all of them at `at`; the caller has made room for the sum of `sizeOf`. @returns the position behind */
  pack(encoder: MessageEncoder, target: Buffer, at: number, frames: NotedFrames): number;
}

/** One message a frame, padded, because raw peers put it on a wire or give it to an emulated card (802.3, 3.2.8). */
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

/** A longer message would make its receiver wait for more before it can begin, and gains nothing. */
const MESSAGE_BYTES = 128 * 1024;
/** Every record might begin a message. */
const RECORD_OVERHEAD_BYTES = MAX_HEADER_BYTES + MESSAGE_HEAD_BYTES + RECORD_LEAD_BYTES;

/** As many frames a message as there are, each with its offload header. */
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

/** Which frames from `from` on make one message: all of their batch, or as many as keep it short. */
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
