import type { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import type { OffloadHeader } from '../../src/wire/offload/virtio-header.ts';
import { batchWithHeaders, type FrameFields, frameOf, superFrameOf } from './frames.ts';
import type { Random } from './random.ts';

const ACK = 0x10;

interface Stream {
  readonly fields: Omit<FrameFields, 'payload'>;
  readonly hasFixedId: boolean;
  sequence: number;
  id: number;
}

/**
 * A batch as in a busy switch: a few TCP flows in turns, mostly consecutive full
 * segments, sometimes with each of the properties that prevent merging.
 *
 * A segmenter gives flows with a constant identification one that counts;
 * `hasFixedIds: false` leaves such flows out.
 */
export function streamBatch(
  random: Random,
  frames: number,
  { hasFixedIds = true }: { hasFixedIds?: boolean } = {},
): FrameBatch {
  const streams = Array.from({ length: 1 + random.below(4) }, (_, ordinal) => newStream(random, ordinal, hasFixedIds));
  const segmentBytes = random.pick([100, 333, 1448]);
  const built: { frame: Buffer; header?: OffloadHeader }[] = [];
  for (let round = 0; round < frames; round++) {
    if (random.once(15)) {
      built.push({ frame: frameOf({ protocol: 'udp', payload: random.bytes(random.below(80)) }).bytes });
      continue;
    }
    built.push(nextFrame(random.pick(streams), segmentBytes, random));
  }
  return batchWithHeaders(built);
}

function newStream(random: Random, ordinal: number, hasFixedIds: boolean): Stream {
  return {
    fields: {
      ipv6: random.once(3),
      source: 16 + ordinal,
      tags: random.pick([[], [], [100], [100, 7]]),
      options: random.pick([new Uint8Array(), random.bytes(12)]),
      tos: random.pick([0, 2]),
      dontFragment: !random.once(3),
    },
    hasFixedId: hasFixedIds && random.once(4),
    sequence: random.pick([1, 0xffff_ff00, random.below(0xffff_ffff)]),
    id: random.pick([0, 0xfffe, random.below(0xffff)]),
  };
}

function nextFrame(stream: Stream, segmentBytes: number, random: Random): { frame: Buffer; header?: OffloadHeader } {
  const fields: FrameFields = {
    ...stream.fields,
    sequence: stream.sequence,
    id: stream.id,
    payload: random.bytes(random.once(12) ? random.below(segmentBytes) : segmentBytes),
  };
  disturb(fields, stream, random);
  const segments = random.once(8) ? 2 + random.below(3) : 1;
  if (segments > 1) fields.payload = random.bytes(segments * segmentBytes - random.pick([0, 0, 10]));
  stream.sequence = (stream.sequence + fields.payload.length) >>> 0;
  stream.id = (stream.id + (stream.hasFixedId ? 0 : segments)) & 0xffff;
  if (segments > 1) return superFrameOf(fields, segmentBytes);
  if (random.once(6)) return superFrameOf(fields, 0);
  const frame = frameOf(fields).bytes;
  if (random.once(25)) frame[frame.length - 1] = (frame[frame.length - 1] ?? 0) ^ 0x40;
  return { frame: random.once(25) ? Buffer.concat([frame, Buffer.alloc(4)]) : frame };
}

/** Makes each kind of change to one segment in a hundred. */
function disturb(fields: FrameFields, stream: Stream, random: Random): void {
  if (!random.once(5)) return;
  const kinds: (() => void)[] = [
    () => Object.assign(fields, { flags: random.below(256) }),
    () => Object.assign(fields, { flags: ACK | random.pick([0x01, 0x08, 0x40, 0x80]) }),
    () => Object.assign(fields, { sequence: (stream.sequence + random.pick([-100, 100, 1])) >>> 0 }),
    () => Object.assign(fields, { id: (stream.id + 2 + random.below(60_000)) & 0xffff }),
    () => Object.assign(fields, { ttl: 63 }),
    () => Object.assign(fields, { tos: 3 }),
    () => Object.assign(fields, { window: 501 }),
    () => Object.assign(fields, { acknowledgement: 8 }),
    () => Object.assign(fields, { options: random.bytes(random.pick([0, 4, 12])) }),
    () => Object.assign(fields, { dontFragment: !(fields.dontFragment ?? true) }),
    () => Object.assign(fields, { payload: new Uint8Array() }),
    () => Object.assign(fields, { destinationPort: 5002 }),
  ];
  random.pick(kinds)();
}
