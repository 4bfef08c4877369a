import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ENCAPSULATIONS, encapsulatedSuperFrameOf } from '../../../test/support/encapsulated-frames.ts';
import { batchWithHeaders, framesOf } from '../../../test/support/frames.ts';
import { builtEngine } from '../../../test/support/offload-addon.ts';
import { FrameBatch } from '../ethernet/frame-batch.ts';
import { type OffloadEngine, portableEngine } from './engine.ts';
import { framesIn, MAX_FINISHED_BYTES } from './gso.ts';
import {
  neededOffloads,
  OFFLOAD_CHECKSUM,
  OFFLOAD_NONE,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  type Offloads,
} from './virtio-header.ts';

const TAKEN: Offloads = OFFLOAD_CHECKSUM | OFFLOAD_USO;
const engines: OffloadEngine[] = [portableEngine];
const native = builtEngine();
if (native !== undefined) engines.push(native);

function batchOf(): FrameBatch {
  return new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES, 0xee));
}

/** The frames for an egress that takes `offloads`; all engines must agree in each octet, offload headers included. */
function finishedFor(superFrame: ReturnType<typeof encapsulatedSuperFrameOf>, offloads: Offloads): FrameBatch {
  const outs = engines.map((engine) => {
    const batch = batchWithHeaders([superFrame]);
    assert.equal(engine.check(batch, 0), undefined);
    const out = batchOf();
    assert.equal(engine.finish(batch, 0, out, offloads), undefined);
    return out;
  });
  const [first] = outs as [FrameBatch];
  for (const out of outs) {
    assert.deepEqual(framesOf(out), framesOf(first));
    for (let i = 0; i < first.count; i++) assert.deepEqual(out.offloadHeader(i), first.offloadHeader(i));
  }
  return first;
}

/** Segments the packs as a kernel does, by their offload headers alone. */
function cut(packs: FrameBatch): Buffer[] {
  const singles = batchOf();
  for (let i = 0; i < packs.count; i++) {
    const before = singles.count;
    assert.equal(portableEngine.check(packs, i), undefined);
    const stands = framesIn(packs, i);
    assert.equal(portableEngine.finish(packs, i, singles), undefined);
    assert.equal(singles.count - before, stands, 'counters count what it stands for');
    assert.equal(
      neededOffloads(packs.bytes, (packs.starts[i] as number) - 10) & ~TAKEN,
      OFFLOAD_NONE,
      'the egress takes it',
    );
  }
  return framesOf(singles);
}

const anySuperFrame = fc.record({
  ipv6: fc.boolean(),
  protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  id: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
});

for (const [name, outers] of ENCAPSULATIONS) {
  const [outer] = outers;
  const isInUdp = !['gre', 'gretap', 'ip'].includes(outer?.kind ?? '');
  const isPacked = outers.length === 1 && isInUdp && outer?.checksum === true;

  test(`segments in ${name} ${isPacked ? 'are packed, and cut again the same' : 'are never packed'}`, () => {
    fc.assert(
      fc.property(anySuperFrame, fc.integer({ min: 32, max: 1500 }), (fields, gsoSize) => {
        const superFrame = encapsulatedSuperFrameOf(outers, fields, gsoSize);
        const packs = finishedFor(superFrame, TAKEN);
        const singles = framesOf(finishedFor(superFrame, OFFLOAD_NONE));
        assert.deepEqual(cut(packs), singles);
        assert.equal(packs.count, isPacked ? Math.ceil(singles.length / 64) : singles.length);
      }),
      { numRuns: 50 },
    );
  });
}

const VXLAN = [{ kind: 'vxlan', checksum: true }] as const;
const PSH_ACK = 0x18;

// Examples, which take less time than the properties above.
for (const [count, packs] of [
  [2, 1],
  [64, 1],
  [65, 2],
  [128, 2],
] as const) {
  test(`${count} segments are ${packs} pack(s), over IPv4 and IPv6`, () => {
    for (const ipv6 of [false, true]) {
      for (const octets of [40 * count, 40 * count - 3]) {
        const fields = { payload: Buffer.alloc(octets, 9), flags: PSH_ACK };
        const superFrame = encapsulatedSuperFrameOf([{ ...VXLAN[0], ipv6 }], fields, 40);
        const packed = finishedFor(superFrame, TAKEN);
        assert.equal(packed.count, packs);
        // A single segment needs only its checksum. hdr_len is the offset of the outer UDP payload.
        const [flags, gsoType, headerBytes] = packed.offloadHeader(packed.count - 1);
        assert.deepEqual([flags, gsoType, headerBytes], [1, count % 64 === 1 ? 0 : 5, ipv6 ? 62 : 42]);
        assert.deepEqual(cut(packed), framesOf(finishedFor(superFrame, OFFLOAD_NONE)));
      }
    }
  });
}

test('segments in UDP without a checksum, in GRE, and in two encapsulations are not packed', () => {
  const plain = { kind: 'vxlan' } as const;
  for (const outers of [[plain], [{ kind: 'gre', checksum: true }], [VXLAN[0], VXLAN[0]]] as const) {
    const superFrame = encapsulatedSuperFrameOf(outers, { payload: Buffer.alloc(200, 9) }, 40);
    const singles = finishedFor(superFrame, TAKEN);
    assert.equal(singles.count, 5);
    assert.deepEqual(framesOf(singles), framesOf(finishedFor(superFrame, OFFLOAD_NONE)));
  }
});

test('no pack is longer than an IP packet can be', () => {
  const superFrame = encapsulatedSuperFrameOf(VXLAN, { payload: Buffer.alloc(64_000, 3) }, 1398);
  const packs = finishedFor(superFrame, TAKEN);
  assert.deepEqual(cut(packs), framesOf(finishedFor(superFrame, OFFLOAD_NONE)));
  assert.equal(packs.count, 2);
  for (const pack of framesOf(packs)) assert.ok(pack.length <= 14 + 65_535, `${pack.length} octets`);
});

test('a pack has as many segments as fit into an IP packet', () => {
  // 62 octets before the payload of each segment, after the 28 octets of the outer IP and UDP headers.
  for (const [gsoSize, segments, packs] of [
    [1332, 47, 2],
    [1331, 47, 1],
    [1248, 50, 1],
  ] as const) {
    const superFrame = encapsulatedSuperFrameOf(VXLAN, { payload: Buffer.alloc(gsoSize * segments) }, gsoSize);
    assert.equal(finishedFor(superFrame, TAKEN).count, packs, `gso_size ${gsoSize}`);
  }
});

test('an egress that takes only a part of what a pack owes gets single segments', () => {
  const superFrame = encapsulatedSuperFrameOf(VXLAN, { payload: Buffer.alloc(5000, 3) }, 1000);
  for (const offloads of [OFFLOAD_USO, OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6]) {
    assert.equal(finishedFor(superFrame, offloads).count, 5);
  }
});
