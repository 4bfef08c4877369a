import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { finishFrame, MAX_FINISHED_BYTES } from '../../src/wire/offload/gso.ts';
import {
  FLAG_DATA_VALID,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  type OffloadHeader,
  type Offloads,
} from '../../src/wire/offload/virtio-header.ts';
import { batchWithHeaders, type FrameFields, frameOf, framesOf, superFrameOf } from '../support/frames.ts';
import { applyGro } from '../support/gro.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { streamBatch } from '../support/tcp-streams.ts';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;
const URG = 0x20;
const ECE = 0x40;
const CWR = 0x80;

const TAKES_ALL: Offloads = OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN;

function merged(batch: FrameBatch, offloads: Offloads = TAKES_ALL): FrameBatch {
  const out = new FrameBatch(Buffer.alloc(batch.bytes.length + 14 * batch.count), 1);
  const indices = Uint32Array.from({ length: batch.count }, (_, index) => index);
  assert.equal(applyGro(batch, indices, batch.count, offloads, out), undefined);
  return out;
}

function finishedFrames(batch: FrameBatch): Buffer[] {
  const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES), 1);
  return Array.from({ length: batch.count }, (_, index) => {
    out.clear();
    assert.equal(finishFrame(batch, index, out), undefined);
    return framesOf(out);
  }).flat();
}

const BYTES = 100;

/** Segment `ordinal` of a flow, with what a case changes. */
function segment(ordinal: number, changes: Partial<FrameFields> = {}): FrameFields {
  const payload = Buffer.alloc(BYTES, ordinal + 1);
  return { sequence: 1000 + ordinal * BYTES, id: 7 + ordinal, payload, ...changes };
}

function batchOfSegments(...segments: readonly FrameFields[]): FrameBatch {
  return batchWithHeaders(segments.map((fields) => ({ frame: frameOf(fields).bytes })));
}

/** The number of payload octets in each frame that leaves. */
function shapeOf(batch: FrameBatch): number[] {
  return Array.from(batch.lengths.subarray(0, batch.count), (length) => length - 54);
}

test('three segments become the super-frame that their sender began with', () => {
  for (const ipv6 of [false, true]) {
    const payload = Buffer.concat([0, 1, 2].map((ordinal) => segment(ordinal).payload));
    const out = merged(
      batchOfSegments(segment(0, { ipv6 }), segment(1, { ipv6 }), segment(2, { ipv6, flags: ACK | PSH })),
    );
    const whole = batchWithHeaders([superFrameOf(segment(0, { ipv6, payload, flags: ACK | PSH }), BYTES)]);
    assert.deepEqual(framesOf(out), framesOf(whole));
    assert.deepEqual(out.offloadHeader(0), whole.offloadHeader(0));
  }
});

// Of three segments, the second is changed: what leaves, in payload octets a frame.
const middle: readonly [string, Partial<FrameFields>, readonly number[]][] = [
  ['nothing changed', {}, [300]],
  ['a short segment ends it', { payload: Buffer.alloc(50) }, [150, 100]],
  ['a longer segment begins anew', { payload: Buffer.alloc(101) }, [100, 201]],
  ['PSH ends it', { flags: ACK | PSH }, [200, 100]],
  ['FIN ends it', { flags: ACK | FIN }, [200, 100]],
  ['SYN goes alone', { flags: ACK | SYN }, [100, 100, 100]],
  ['RST goes alone', { flags: ACK | RST }, [100, 100, 100]],
  ['URG goes alone', { flags: ACK | URG }, [100, 100, 100]],
  ['no ACK goes alone', { flags: 0 }, [100, 100, 100]],
  ['ECE differs', { flags: ACK | ECE }, [100, 100, 100]],
  ['CWR begins anew', { flags: ACK | CWR }, [100, 200]],
  ['a gap', { sequence: 1101 }, [100, 100, 100]],
  ['a retransmission', { sequence: 1000 }, [100, 100, 100]],
  ['no payload', { payload: Buffer.alloc(0) }, [100, 0, 100]],
  ['the acknowledgement moved', { acknowledgement: 8 }, [100, 100, 100]],
  ['the window moved', { window: 501 }, [100, 100, 100]],
  ['options appeared', { options: Uint8Array.of(1, 1, 1, 1) }, [100, 104, 100]],
  ['TTL differs', { ttl: 63 }, [100, 100, 100]],
  ['TOS differs', { tos: 4 }, [100, 100, 100]],
  ['congestion was experienced', { tos: 3 }, [100, 100, 100]],
  ['DF differs', { dontFragment: false }, [100, 100, 100]],
  ['the identification jumps', { id: 100 }, [100, 100, 100]],
];

for (const [name, changes, shape] of middle) {
  test(`merging: ${name}`, () => {
    const third = segment(2);
    if (changes.payload !== undefined) third.sequence = 1000 + BYTES + changes.payload.length;
    assert.deepEqual(shapeOf(merged(batchOfSegments(segment(0), segment(1, changes), third))), shape);
  });
}

// Of another flow, so it may stand between two segments that are merged.
const besides: readonly [string, Partial<FrameFields>][] = [
  ['port', { destinationPort: 9 }],
  ['address', { source: 9 }],
  ['VLAN', { tags: [9] }],
  ['protocol', { protocol: 'udp' }],
];

for (const [name, changes] of besides) {
  test(`merging: another ${name} does not disturb`, () => {
    const out = merged(batchOfSegments(segment(0), segment(5, changes), segment(1)));
    assert.equal(out.count, 2);
    assert.equal(shapeOf(out)[0], 200);
    assert.deepEqual(framesOf(out)[1], frameOf(segment(5, changes)).bytes);
  });
}

test('the first segment may carry CWR where the egress segments with it', () => {
  const batch = batchOfSegments(segment(0, { flags: ACK | CWR }), segment(1));
  assert.deepEqual(shapeOf(merged(batch)), [200]);
  assert.equal(merged(batch).offloadHeader(0)[1], 0x81);
  assert.deepEqual(shapeOf(merged(batch, OFFLOAD_TSO4)), [100, 100]);
});

test('nothing is merged for an egress that does not segment that family', () => {
  assert.deepEqual(shapeOf(merged(batchOfSegments(segment(0), segment(1)), OFFLOAD_TSO6)), [100, 100]);
});

test('identifications count up, or stand still with DF', () => {
  const still = (dontFragment: boolean) =>
    batchOfSegments(...[0, 1, 2].map((ordinal) => segment(ordinal, { id: 0, dontFragment })));
  assert.deepEqual(shapeOf(merged(still(true))), [300]);
  assert.deepEqual(shapeOf(merged(still(false))), [100, 100, 100]);
  const mixed = batchOfSegments(segment(0, { id: 0 }), segment(1, { id: 0 }), segment(2, { id: 1 }));
  assert.deepEqual(shapeOf(merged(mixed)), [200, 100]);
  const around = batchOfSegments(segment(0, { id: 0xffff }), segment(1, { id: 0 }));
  assert.deepEqual(shapeOf(merged(around)), [200]);
});

test('sequence numbers count on through zero', () => {
  const first = 0x1_0000_0000 - BYTES;
  assert.deepEqual(
    shapeOf(merged(batchOfSegments(segment(0, { sequence: first }), segment(1, { sequence: 0 })))),
    [200],
  );
});

test('a segment with a bad checksum goes as it came, and is overtaken by none of its flow', () => {
  const frames = [0, 1, 2, 3].map((ordinal) => frameOf(segment(ordinal)).bytes);
  const bad = frames[1] as Buffer;
  bad[bad.length - 1] = 0x55;
  const out = merged(batchWithHeaders(frames.map((frame) => ({ frame }))));
  assert.deepEqual(shapeOf(out), [100, 100, 200]);
  assert.deepEqual(framesOf(out)[1], bad);
});

test('a bad IPv4 header checksum and a pad keep a segment whole', () => {
  const spoiled = frameOf(segment(1)).bytes;
  spoiled[24] = (spoiled[24] as number) ^ 1;
  const padded = Buffer.concat([frameOf(segment(1)).bytes, Buffer.alloc(3)]);
  for (const frame of [spoiled, padded]) {
    const out = merged(
      batchWithHeaders([{ frame: frameOf(segment(0)).bytes }, { frame }, { frame: frameOf(segment(2)).bytes }]),
    );
    assert.equal(out.count, 3);
    assert.deepEqual(framesOf(out)[1], frame);
  }
});

test('a fragment may be of any flow, so nothing overtakes it', () => {
  const fragment = frameOf(segment(9, { source: 9, dontFragment: false })).bytes;
  fragment[20] = 0x20;
  const frames = [frameOf(segment(0)).bytes, fragment, frameOf(segment(1)).bytes];
  assert.deepEqual(shapeOf(merged(batchWithHeaders(frames.map((frame) => ({ frame }))))), [100, 100, 100]);
});

test('a checksum that the kernel has verified is not asked for again; one still to come is trusted', () => {
  const valid: OffloadHeader = {
    flags: FLAG_DATA_VALID,
    gsoType: 0,
    headerBytes: 0,
    gsoSize: 0,
    checksumStart: 0,
    checksumOffset: 0,
  };
  const frame = frameOf(segment(1)).bytes;
  frame[51] = 0x55;
  const others = [segment(0), segment(2)].map((fields) => superFrameOf(fields, 0));
  const [first, last] = others as [(typeof others)[0], (typeof others)[0]];
  assert.deepEqual(shapeOf(merged(batchWithHeaders([first, { frame, header: valid }, last]))), [300]);
});

test('super-frames are merged with segments of their size', () => {
  const double = superFrameOf(segment(1, { payload: Buffer.alloc(2 * BYTES) }), BYTES);
  const tail = superFrameOf(segment(3, { payload: Buffer.alloc(BYTES + 1) }), BYTES);
  const batch = batchWithHeaders([{ frame: frameOf(segment(0)).bytes }, double, tail, superFrameOf(segment(4), 0)]);
  assert.deepEqual(shapeOf(merged(batch)), [401, 100]);
});

test('a merged packet is no longer than IP can say', () => {
  const payload = Buffer.alloc(1448);
  const segments = Array.from({ length: 50 }, (_, ordinal) => segment(ordinal, { payload, sequence: ordinal * 1448 }));
  const out = merged(batchOfSegments(...segments));
  assert.deepEqual(shapeOf(out), [45 * 1448, 5 * 1448]);
});

test('a batch without offload headers is merged too', () => {
  const batch = batchOfSegments(segment(0), segment(1));
  batch.hasOffloadHeaders = false;
  batch.bytes.fill(0xff, 0, 14);
  assert.deepEqual(shapeOf(merged(batch)), [200]);
});

test('more flows than are followed still keep their order', () => {
  const flows = Array.from({ length: 40 }, (_, flow) => flow);
  const frames = [0, 1].flatMap((ordinal) => flows.map((source) => segment(ordinal, { source })));
  const out = merged(batchOfSegments(...frames));
  const before = framesOf(batchOfSegments(...frames)).map((frame) => frame.toString('hex'));
  assert.deepEqual(
    finishedFrames(out)
      .map((frame) => frame.toString('hex'))
      .sort(),
    before.sort(),
  );
});

test('segmentation ∘ GRO changes no frame, and the order of no flow', (t) => {
  const seed = fuzzSeed();
  t.diagnostic(`FUZZ_SEED=${seed}`);
  const random = new Random(seed);
  let mergedFrames = 0;
  for (let round = 0; round < fuzzCases(300); round++) {
    const batch = streamBatch(random, random.pick([2, 10, 60]), { hasFixedIds: false });
    const out = merged(batch);
    mergedFrames += batch.count - out.count;
    assert.deepEqual(byFlow(finishedFrames(out)), byFlow(finishedFrames(batch)), `round ${round}`);
  }
  assert.ok(mergedFrames > 300, `only ${mergedFrames} frames were merged`);
});

/** Frames under their VLANs, addresses and ports, in order. */
function byFlow(frames: readonly Buffer[]): Map<string, string[]> {
  const flows = new Map<string, string[]>();
  for (const frame of frames) {
    let network = 14;
    while ([0x8100, 0x88a8].includes(frame.readUInt16BE(network - 2))) network += 4;
    const ports = network + (frame.readUInt16BE(network - 2) === 0x86dd ? 40 : 20);
    const key = frame.toString('hex', 0, network) + frame.toString('hex', ports, ports + 4);
    flows.set(key, [...(flows.get(key) ?? []), frame.toString('hex')]);
  }
  return flows;
}
