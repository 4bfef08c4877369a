import type { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { OFFLOAD_HEADER_BYTES } from '../../src/wire/offload/virtio-header.ts';
import { ENCAPSULATIONS, encapsulatedSuperFrameOf } from './encapsulated-frames.ts';
import { batchWithHeaders, type FrameFields, superFrameOf } from './frames.ts';
import type { Random } from './random.ts';

const HOP_BY_HOP = { type: 0, bytes: Buffer.from('0000050200000100', 'hex') };
const ROUTING = { type: 43, bytes: Buffer.from('0000000000000000', 'hex') };

/** Valid super-frames and frames with partial checksums, of all kinds, as templates for `lie`. */
export function honestTemplates(): FrameBatch[] {
  const payload = new Uint8Array(700).map((_, index) => index);
  const kinds: readonly Omit<FrameFields, 'payload'>[] = [
    {},
    { tags: [100] },
    { tags: [200, 300], options: new Uint8Array(12).fill(1) },
    { ipv6: true, flags: 0x98 },
    { ipv6: true, tags: [5], options: new Uint8Array(40).fill(1) },
    { ipv6: true, extension: HOP_BY_HOP },
    { ipv6: true, extension: ROUTING },
    { ipv6: true, tags: [3], extension: ROUTING },
    { ipv6: true, protocol: 'udp', extension: ROUTING },
    { protocol: 'udp' },
    { protocol: 'udp', ipv6: true, tags: [7] },
  ];
  const gsoSizes = [0, 100, 333];
  return [
    ...kinds.flatMap((kind) => gsoSizes.map((gsoSize) => superFrameOf({ ...kind, payload }, gsoSize))),
    ...ENCAPSULATIONS.flatMap(([, outers], index) =>
      gsoSizes.map((gsoSize) => {
        const inner = { ipv6: index % 3 === 1, protocol: index % 4 === 3 ? 'udp' : 'tcp', payload } as const;
        return encapsulatedSuperFrameOf(outers, inner, gsoSize);
      }),
    ),
  ].map((frame) => batchWithHeaders([frame]));
}

const TELLING = [0, 1, 2, 3, 4, 5, 6, 17, 44, 0x45, 0x46, 0x60, 0x7f, 0x80, 0x81, 0xff];

/**
 * A copy of `template` with up to four octets of its headers changed, or its end cut off.
 * The frame ends where its slab ends, so that a step beyond it shows.
 */
export function lie(template: FrameBatch, random: Random): FrameBatch {
  const batch = batchWithHeaders([{ frame: Buffer.alloc(0) }]);
  const length = template.lengths[0] as number;
  const kept = random.once(3) ? random.below(length + 1) : length;
  const start = template.starts[0] as number;
  batch.bytes = Buffer.from(template.bytes.subarray(0, start + kept));
  batch.starts[0] = start;
  batch.lengths[0] = kept;
  const first = start - OFFLOAD_HEADER_BYTES;
  const reach = Math.min(batch.bytes.length - first, random.once(2) ? 110 : 200);
  for (let changes = random.below(5); changes > 0; changes--) {
    // More than half of the changes are in the offload header, where most faults are possible.
    const at = first + random.below(random.once(2) ? Math.min(OFFLOAD_HEADER_BYTES, reach) : reach);
    batch.bytes[at] = random.once(2) ? random.below(256) : random.pick(TELLING);
  }
  return batch;
}
