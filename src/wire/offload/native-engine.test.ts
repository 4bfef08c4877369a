import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../../test/support/frames.ts';
import { honestTemplates, lie } from '../../../test/support/hostile-frames.ts';
import { ADDON_HINT, builtEngine } from '../../../test/support/offload-addon.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { FrameBatch } from '../ethernet/frame-batch.ts';
import { type OffloadEngine, portableEngine } from './engine.ts';
import { MAX_FINISHED_BYTES } from './gso.ts';
import { GSO_TCPV4 } from './virtio-header.ts';

const MANY = 100_000;
const CASES = fuzzCases(MANY);

/** The octets of a batch, offload headers included. */
function contentsOf(batch: FrameBatch): Buffer {
  const last = batch.count - 1;
  const end = last < 0 ? 0 : (batch.starts[last] as number) + (batch.lengths[last] as number);
  return batch.bytes.subarray(0, end);
}

function assertSame(portable: FrameBatch, native: FrameBatch): void {
  assert.equal(native.count, portable.count);
  assert.deepEqual(native.starts.subarray(0, native.count), portable.starts.subarray(0, portable.count));
  assert.deepEqual(native.lengths.subarray(0, native.count), portable.lengths.subarray(0, portable.count));
  if (!contentsOf(native).equals(contentsOf(portable))) assert.deepEqual(contentsOf(native), contentsOf(portable));
}

test(`${CASES} lying super-frames are refused or finished, by both engines alike`, (t) => {
  const native = builtEngine();
  if (native === undefined) t.diagnostic(`portable engine only; the native one ${ADDON_HINT}`);
  const seed = fuzzSeed();
  t.diagnostic(`FUZZ_SEED=${seed}`);
  const random = new Random(seed);
  const templates = honestTemplates();
  const outs = [new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES)), new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES))];
  const [ours, theirs] = outs as [FrameBatch, FrameBatch];
  const outcomes = new Map<string, number>();
  for (let round = 0; round < CASES; round++) {
    const batch = lie(random.pick(templates), random);
    ours.clear();
    const failure = portableEngine.finish(batch, 0, ours);
    if (native !== undefined) {
      theirs.clear();
      assert.equal(native.finish(batch, 0, theirs), failure);
      assertSame(ours, theirs);
      assert.equal(checkOf(native, batch), checkOf(portableEngine, batch));
    }
    const outcome = checkOf(portableEngine, batch);
    assert.equal(failure === 'badOffload', !outcome.startsWith('ok'));
    const kind = outcome.split(' ', 1)[0] as string;
    outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
  }
  // All outcomes must occur, or the test says nothing of some. With few cases (FUZZ_FACTOR) rare ones may be missing.
  if (CASES >= MANY) assert.equal(outcomes.size, 12, `only ${[...outcomes.keys()].join(', ')}`);
});

/** The result of `check`, and the header after it. */
function checkOf(engine: OffloadEngine, batch: FrameBatch): string {
  const copy = new FrameBatch(Buffer.from(batch.bytes));
  copy.hasOffloadHeaders = true;
  copy.push(batch.starts[0] as number, batch.lengths[0] as number);
  return `${engine.check(copy, 0) ?? 'ok'} ${copy.offloadHeader(0).toString('hex')}`;
}

test('the native engine refuses frames outside of their slab', (t) => {
  const native = builtEngine();
  if (native === undefined) return t.skip(ADDON_HINT);
  const batch = new FrameBatch(Buffer.alloc(100));
  batch.hasOffloadHeaders = true;
  batch.push(9, 60);
  assert.throws(() => native.finish(batch, 0, new FrameBatch(Buffer.alloc(500))), RangeError);
  batch.starts[0] = 50;
  batch.bytes[41] = GSO_TCPV4;
  assert.throws(() => native.check(batch, 0), RangeError);
  assert.throws(() => native.finish(batch, 0, new FrameBatch(Buffer.alloc(500))), RangeError);
});

test('an odd payload, and one at an odd address, sum up alike', (t) => {
  const native = builtEngine();
  if (native === undefined) return t.skip(ADDON_HINT);
  const random = new Random(7);
  for (const template of honestTemplates()) {
    for (let shift = 0; shift < 9; shift++) {
      const start = template.starts[0] as number;
      const shifted = new FrameBatch(Buffer.concat([random.bytes(shift), template.bytes]));
      shifted.hasOffloadHeaders = true;
      shifted.push(start + shift, template.lengths[0] as number);
      const out = new FrameBatch(Buffer.alloc(20_000));
      assert.equal(native.finish(shifted, 0, out), undefined);
      const unshifted = new FrameBatch(Buffer.alloc(20_000));
      assert.equal(portableEngine.finish(template, 0, unshifted), undefined);
      assertSame(unshifted, out);
    }
  }
});

test('a batch has room for the segments of the native engine, and says when its slab has none', (t) => {
  const native = builtEngine();
  if (native === undefined) return t.skip(ADDON_HINT);
  const batch = batchWithHeaders([
    superFrameOf({ payload: Buffer.alloc(3000, 1) }, 10),
    { frame: Buffer.alloc(60, 1) },
  ]);
  const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES), 1);
  assert.equal(native.finish(batch, 0, out), undefined);
  assert.equal(out.count, 300);
  assert.ok(out.hasOffloadHeaders);
  assert.ok(out.starts.length < 2048, 'room for those alone');
  assert.equal(native.finish(batch, 1, out), undefined);
  assert.deepEqual([out.count, out.lengths[300]], [301, 60]);
  const full = new FrameBatch(Buffer.alloc(1000), 1);
  assert.equal(native.finish(batch, 0, full), 'queueFull');
  assert.deepEqual([full.count, full.hasOffloadHeaders], [0, false]);
  batch.offloadHeader(0).writeUInt16LE(0, 4);
  assert.equal(native.finish(batch, 0, new FrameBatch(Buffer.alloc(1000), 1)), 'badOffload');
});
