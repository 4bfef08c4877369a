import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bench, frameOf, MIN_BYTES } from '../../../test/support/fair-queue-bench.ts';
import { batchOf, FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { OFFLOAD_HEADER_BYTES } from '../../wire/offload/virtio-header.ts';
import { RECORD_LEAD_BYTES } from '../../wire/tunnel/tunnel-message.ts';

/** A full frame's record, which is a turn where no frame is longer. */
const TURN_BYTES = 1514 + RECORD_LEAD_BYTES;

const LENGTHS = fc.oneof(fc.integer({ min: MIN_BYTES, max: 1514 }), fc.constantFrom(9000, 30_000, 65_557));
const STEPS = fc.array(
  fc.record({
    put: fc.array(fc.record({ flow: fc.nat(9), length: LENGTHS, hasHeader: fc.boolean() }), { maxLength: 40 }),
    waitMs: fc.oneof(fc.nat(3), fc.nat(200)),
    takeBytes: fc.oneof(fc.constant(0), fc.nat(100_000)),
    takes: fc.nat(4),
    clear: fc.nat(20).map((chance) => chance === 0),
  }),
  { maxLength: 60 },
);

test('the oldest wait is that of the first frame in any flow, and ends with it', () => {
  const bench = new Bench();
  assert.equal(bench.queue.oldestWaitedMs(1000), 0);
  bench.put(1, 1000);
  bench.put(2, 1001.5);
  bench.put(1, 1002);
  assert.equal(bench.queue.oldestWaitedMs(1002), 2);
  // A turn of one frame: the first of flow 1, then that of flow 2.
  assert.deepEqual(
    [1, 1].map((maxBytes) => bench.take(1003, maxBytes).map(({ flow }) => flow)),
    [[1], [2]],
  );
  assert.equal(bench.queue.oldestWaitedMs(1003), 1);
  // A clock that went back.
  assert.equal(bench.queue.oldestWaitedMs(1000), 0);
  bench.take(1003);
  assert.equal(bench.queue.oldestWaitedMs(1003), 0);
});

test('urgent frames leave before all others, in their order, and are not dropped for their wait', () => {
  const urgent = 0x0345_5753_0002 as MacAddress;
  const bench = new Bench({ urgent });
  const put = (number: number, nowMs: number): void => {
    const frame = Buffer.alloc(MIN_BYTES);
    frame.writeUIntBE(urgent, 0, 6);
    frame.writeUInt8(number, MIN_BYTES - 1);
    bench.queue.enqueue(batchOf(frame), 0, nowMs);
  };
  for (let times = 0; times < 20; times++) bench.put(times % 3, 0);
  for (const number of [1, 2]) put(number, 1);
  bench.put(7, 1);
  for (const number of [3, 4]) put(number, 2);
  const taken: number[] = [];
  for (const nowMs of [300, 450, 600, 750]) {
    bench.slab.clear();
    bench.queue.dequeue(bench.slab, 1, nowMs);
    const frame = Buffer.from(bench.slab.frame(0));
    taken.push(frame.readUIntBE(0, 6) === urgent ? frame.readUInt8(MIN_BYTES - 1) : -1);
  }
  assert.deepEqual([taken, bench.drops.queueDelay], [[1, 2, 3, 4], 0]);
  while (bench.queue.frames > 0) bench.take(760);
  put(5, 761);
  assert.equal(bench.queue.frames, 1);
  bench.queue.clear();
  assert.deepEqual([bench.queue.memoryBytes, bench.pool.outBytes], [0, 0]);
});

test('every frame leaves whole and in the order of its flow, or is counted, and no bound is exceeded', () => {
  fc.assert(
    fc.property(STEPS, fc.constantFrom(1000, 20_000, 200_000), (steps, queueBytes) => {
      const bench = new Bench({ queueBytes });
      const sent = new Map<number, { frame: Buffer; header: Buffer }>();
      const lastOf = new Map<number, number>();
      let delivered = 0;
      let cleared = 0;
      let nowMs = 0;
      for (const step of steps) {
        for (const { flow, length, hasHeader } of step.put) {
          const serial = sent.size;
          const frame = frameOf(flow, serial, length);
          const header = Buffer.alloc(OFFLOAD_HEADER_BYTES, hasHeader ? serial + 1 : 0);
          // What stands in front of a frame of a batch without headers must not be taken for one.
          const lead = hasHeader ? header : Buffer.alloc(OFFLOAD_HEADER_BYTES, 0xee);
          const batch = new FrameBatch(Buffer.concat([lead, frame]));
          batch.push(OFFLOAD_HEADER_BYTES, frame.length);
          batch.hasOffloadHeaders = hasHeader;
          bench.queue.enqueue(batch, 0, nowMs);
          batch.bytes.fill(0xdd);
          sent.set(serial, { frame, header });
          assert.ok(bench.queue.bytes <= queueBytes);
          assert.ok(bench.queue.heldBytes <= Math.max(256 * 1024, 4 * queueBytes));
        }
        nowMs += step.waitMs;
        for (let takes = 0; takes < step.takes; takes++) {
          const before = bench.queue.frames;
          const dropsBefore = bench.drops.queueDelay;
          const records = bench.take(nowMs, step.takeBytes);
          delivered += records.length;
          const total = records.reduce((sum, { bytes }) => sum + bytes, 0);
          assert.ok(records.length <= 1 || total <= step.takeBytes);
          if (before > 0) assert.ok(records.length > 0, 'something leaves');
          assert.equal(before - bench.queue.frames, records.length + bench.drops.queueDelay - dropsBefore);
          let end = 0;
          for (const [index, { flow, serial }] of records.entries()) {
            assert.equal(bench.slab.starts[index], end + RECORD_LEAD_BYTES);
            end += RECORD_LEAD_BYTES + (bench.slab.lengths[index] as number);
            assert.ok(serial > (lastOf.get(flow) ?? -1));
            lastOf.set(flow, serial);
            assert.deepEqual(bench.slab.frame(index), sent.get(serial)?.frame);
            assert.deepEqual(bench.slab.offloadHeader(index), sent.get(serial)?.header);
          }
        }
        if (step.clear) cleared += bench.queue.clear();
        assert.equal(
          sent.size,
          delivered + cleared + bench.drops.queueDelay + bench.drops.queueFull + bench.queue.frames,
        );
        assert.equal(bench.pool.outBytes, bench.queue.heldBytes);
        if (bench.queue.frames === 0) assert.equal(bench.pool.out.size, 0);
      }
      bench.queue.clear();
      assert.deepEqual([bench.queue.frames, bench.queue.bytes, bench.pool.out.size], [0, 0, 0]);
    }),
    { numRuns: 60 },
  );
});

test('any octets are a frame: truncated, empty, or lying about their lengths', () => {
  const claims = ['', '08', '0800 4f', '8100', '8100 0001 88a8', '86dd 60', '0800 45'].map((hex) =>
    Buffer.from(`${'02'.repeat(12)}${hex.replaceAll(' ', '')}`, 'hex'),
  );
  const frames = fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...claims)), { minLength: 1 });
  fc.assert(
    fc.property(frames, (hostile) => {
      const { queue, slab } = new Bench();
      const batch = batchOf(...hostile);
      for (let index = 0; index < batch.count; index++) queue.enqueue(batch, index, 0);
      queue.dequeue(slab, Number.POSITIVE_INFINITY, 1);
      const octets = (of: Uint8Array[]) => of.map((frame) => Buffer.from(frame).toString('hex')).sort();
      const left = Array.from({ length: slab.count }, (_, index) => slab.frame(index));
      assert.deepEqual(octets(left), octets(hostile));
    }),
  );
});

test('the frame of a sparse flow leaves first, however long the bulk queues are', () => {
  const bench = new Bench();
  for (let n = 0; n < 100; n++) for (const flow of [1, 2, 3]) bench.put(flow, 0);
  bench.take(1, 3 * 2 * TURN_BYTES);
  for (let round = 0; round < 5; round++) {
    const ping = bench.put(77, 1, 100);
    assert.equal(bench.take(1, 1600)[0]?.serial, ping);
    // It went back to the end of the old flows: after a round of theirs it is new again.
    bench.take(1, 3 * 2 * TURN_BYTES);
  }
});

test('a flow that pretends to be sparse does not come first again before the others had their turn', () => {
  const bench = new Bench();
  for (let n = 0; n < 100; n++) bench.put(1, 0);
  bench.take(1, 2 * TURN_BYTES);
  const left = new Map<number, number>();
  for (let n = 0; n < 60; n++) {
    bench.put(2, 1, 100);
    for (const { flow, bytes } of bench.take(1, 1)) left.set(flow, (left.get(flow) ?? 0) + bytes);
  }
  assert.ok((left.get(1) ?? 0) > 0.9 * (left.get(2) ?? 0), JSON.stringify([...left]));
});

test('the oldest frames of the longest flow make room', () => {
  const bench = new Bench({ queueBytes: 20 * 1528 });
  for (let n = 0; n < 15; n++) bench.put(1, 0);
  for (let n = 0; n < 8; n++) bench.put(2, 0);
  assert.equal(bench.drops.queueFull, 3);
  const left = bench.take(0);
  assert.deepEqual(
    left.filter(({ flow }) => flow === 1).map(({ serial }) => serial),
    Array.from({ length: 12 }, (_, n) => n + 3),
  );
  assert.equal(left.filter(({ flow }) => flow === 2).length, 8);
});

test('a frame longer than the whole queue is refused and costs no other flow anything', () => {
  const bench = new Bench({ queueBytes: 10_000 });
  bench.put(1, 0);
  bench.put(1, 0, 10_000);
  assert.deepEqual([bench.queue.frames, bench.drops.queueFull], [1, 1]);
});

test('flows that each keep one small frame of many cannot pin more memory than the bound', () => {
  const queueBytes = 64 * 1024;
  const bench = new Bench({ queueBytes });
  for (let flow = 0; flow < 1000; flow++) {
    for (let n = 0; n < 100; n++) bench.put(flow, 0, MIN_BYTES);
    assert.ok(bench.pool.outBytes <= 256 * 1024);
    assert.ok(bench.queue.bytes <= queueBytes);
  }
  assert.equal(bench.take(0).length + bench.drops.queueFull + bench.queue.frames, 100_000);
});

test('an empty queue owns no block', () => {
  const bench = new Bench();
  assert.equal(bench.pool.out.size, 0);
  for (let flow = 0; flow < 100; flow++) bench.put(flow, 0, 64 + flow * 10);
  assert.ok(bench.pool.out.size > 0);
  while (bench.queue.frames > 0) bench.take(1, 10_000);
  assert.deepEqual([bench.pool.out.size, bench.queue.bytes, bench.queue.heldBytes], [0, 0, 0]);
  bench.put(1, 2);
  assert.equal(bench.queue.clear(), 1);
  assert.equal(bench.pool.out.size, 0);
});

test('frames are added behind those that a batch holds, until its slab is full', () => {
  const bench = new Bench({}, 4000);
  for (let n = 0; n < 4; n++) bench.put(1, 0);
  bench.queue.dequeue(bench.slab, 1, 0);
  assert.equal(bench.slab.count, 1);
  bench.queue.dequeue(bench.slab, 1e6, 0);
  assert.deepEqual([...bench.slab.starts.subarray(0, bench.slab.count)], [14, 1528 + 14]);
  bench.queue.dequeue(bench.slab, 1e6, 0);
  assert.equal(bench.slab.count, 2);
  bench.take(0);
  bench.put(1, 0, 5000);
  bench.slab.clear();
  assert.throws(() => bench.queue.dequeue(bench.slab, 1e6, 0), RangeError);
});

test('bounds that are none are refused', () => {
  for (const name of ['queueBytes', 'targetMs', 'intervalMs', 'maxQuantumBytes']) {
    assert.throws(() => new Bench({ [name]: 0 }), new RegExp(`^RangeError: ${name} is 0`));
  }
});
