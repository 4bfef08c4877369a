import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../../test/support/frames.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { batchOf, type FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { TPID_C_TAG, TPID_S_TAG, type Tpid } from '../../wire/ethernet/tag.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { checksumStartOf, headerBytesOf, neededOffloads, OFFLOAD_NONE } from '../../wire/offload/virtio-header.ts';
import { FORM_AS_IT_CAME, FORM_UNTAGGED, type Form, Retagging, TagChange } from './vlan-retagging.ts';

const FORM_C_TAG = 1;
const FORM_S_TAG = 2;
const ADDRESSES = '020000000001020000000002';
const VID = 5 as Vid;
/** The octets that one batch of copies takes; each copy has a lead of 14 octets. */
const SLAB_BYTES = 1 << 20;
const LEAD_BYTES = 14;
const MOST_IDLE_SLABS = 4;

function bytesOf(typeAndMore: string): Buffer {
  return Buffer.from(ADDRESSES + typeAndMore.replaceAll(' ', ''), 'hex');
}

/** A frame without a tag. @param mark its last octet */
function untagged(length: number, mark = 0xaa): Buffer {
  const frame = Buffer.alloc(length, 0x11);
  bytesOf('88b5').copy(frame);
  frame[length - 1] = mark;
  return frame;
}

// Change: octets removed, and the tag that is inserted; undefined: the frame cannot have this form.
for (const [octets, tpid, form, change] of [
  ['88b5 0000', TPID_C_TAG, FORM_UNTAGGED, [0, 0]],
  ['88b5 0000', TPID_C_TAG, FORM_C_TAG, [0, 0x8100_0005]],
  ['88b5 0000', TPID_C_TAG, FORM_S_TAG, [0, 0x88a8_0005]],
  ['8100 a005 88b5', TPID_C_TAG, FORM_C_TAG, [0, 0]],
  ['8100 a007 88b5', TPID_C_TAG, FORM_C_TAG, [4, 0x8100_a005]],
  ['8100 a000 88b5', TPID_C_TAG, FORM_C_TAG, [4, 0x8100_a005]],
  ['8100 a005 88b5', TPID_C_TAG, FORM_S_TAG, [4, 0x88a8_a005]],
  ['8100 a005 88b5', TPID_C_TAG, FORM_UNTAGGED, [4, 0]],
  ['8100 a005 88b5', TPID_C_TAG, FORM_AS_IT_CAME, [0, 0]],
  ['88a8 1005 88b5', TPID_S_TAG, FORM_S_TAG, [0, 0]],
  ['88a8 1005 88b5', TPID_C_TAG, FORM_C_TAG, [0, 0x8100_0005]],
  ['8100 a005', TPID_C_TAG, FORM_UNTAGGED, undefined],
  ['8100 a005', TPID_C_TAG, FORM_C_TAG, undefined],
  ['8100 a005', TPID_C_TAG, FORM_AS_IT_CAME, [0, 0]],
] as const) {
  test(`what ${octets} has to become at TPID 0x${tpid.toString(16)} for form ${form}`, () => {
    const found = new TagChange();
    // A change from before has no effect.
    found.find(bytesOf('8100 a007 88b5'), 0, 18, TPID_C_TAG, VID, FORM_C_TAG);
    const bytes = bytesOf(octets);
    const isPossible = found.find(bytes, 0, bytes.length, tpid, VID, form);
    assert.equal(isPossible, change !== undefined);
    if (change === undefined) return;
    assert.deepEqual([found.strippedBytes, found.tag], change);
    assert.equal(found.isNone, change[0] === 0 && change[1] === 0);
  });
}

/** Copies a frame in a form, as it was asked for by an egress port. */
function copyAs(retagging: Retagging, from: FrameBatch, index: number, form: Form, tpid: Tpid = TPID_C_TAG) {
  const { bytes, starts, lengths } = from;
  retagging.change.find(bytes, starts[index] as number, lengths[index] as number, tpid, VID, form);
  const failure = retagging.copy(from, index, form);
  return failure ?? { batch: retagging.batch, index: retagging.index };
}

function octetsOf(copy: ReturnType<typeof copyAs>): string {
  assert.notEqual(typeof copy, 'string');
  const { batch, index } = copy as { batch: FrameBatch; index: number };
  return batch.frame(index).toString('hex');
}

test('a frame is copied once in each form, whatever is copied in between, and anew in the next batch', () => {
  const retagging = new Retagging();
  for (const marks of [
    ['bb', 'cc'],
    ['dd', 'ee'],
  ]) {
    const from = batchOf(...marks.map((mark) => bytesOf(`88b5${mark}`)));
    const first = [1, 0].map((index) => copyAs(retagging, from, index, FORM_C_TAG));
    const others = [1, 0].map((index) => copyAs(retagging, from, index, FORM_S_TAG));
    assert.deepEqual(first.map(octetsOf), [
      `${ADDRESSES}8100000588b5${marks[1]}`,
      `${ADDRESSES}8100000588b5${marks[0]}`,
    ]);
    assert.deepEqual(others.map(octetsOf), [
      `${ADDRESSES}88a8000588b5${marks[1]}`,
      `${ADDRESSES}88a8000588b5${marks[0]}`,
    ]);
    assert.deepEqual(copyAs(retagging, from, 0, FORM_C_TAG), first[1]);
    assert.equal(retagging.batch.count, 4);
    retagging.end();
    assert.equal(retagging.batch.count, 0);
  }
});

test('copies without a form are made each time', () => {
  const retagging = new Retagging();
  const from = batchOf(untagged(64));
  retagging.change.tag = 0x8100_0007;
  retagging.copy(from, 0);
  const { index } = retagging;
  retagging.change.tag = 0x8100_0009;
  retagging.copy(from, 0);
  assert.deepEqual([index, retagging.index], [0, 1]);
  assert.equal(retagging.batch.frame(1).readUInt32BE(12), 0x8100_0009);
  retagging.end();
});

test('copies fill one batch to its last octet, and then a second one; those of the first one stay', () => {
  // With its tag and its lead each has the sixteenth part of a slab, or an octet more.
  const fitting = SLAB_BYTES / 16 - LEAD_BYTES - 4;
  for (const [length, inFirst] of [
    [fitting, 16],
    [fitting + 1, 15],
  ] as const) {
    const retagging = new Retagging();
    const from = batchOf(...Array.from({ length: 18 }, (_, at) => untagged(length, at)));
    const copies = Array.from({ length: 18 }, (_, index) => copyAs(retagging, from, index, FORM_C_TAG));
    const untaggedCopy = copyAs(retagging, from, 17, FORM_S_TAG);
    const batches = copies.map((copy) => (copy as { batch: FrameBatch }).batch);
    assert.deepEqual(
      batches.map((batch) => batches.indexOf(batch)),
      Array.from({ length: 18 }, (_, at) => (at < inFirst ? 0 : inFirst)),
    );
    for (const [at, copy] of copies.entries()) {
      const octets = octetsOf(copy);
      assert.deepEqual([octets.length / 2, octets.slice(-2)], [length + 4, at.toString(16).padStart(2, '0')]);
    }
    assert.notDeepEqual(untaggedCopy, copies[17]);
    retagging.end();
  }
});

test('a copy in a batch that is not the last one is found again', () => {
  const retagging = new Retagging();
  const from = batchOf(untagged(60_000));
  const first = copyAs(retagging, from, 0, FORM_C_TAG);
  for (let more = 0; more < 20; more++) retagging.copy(from, 0);
  const later = retagging.batch;
  const again = copyAs(retagging, from, 0, FORM_C_TAG);
  assert.equal((again as { batch: FrameBatch }).batch, (first as { batch: FrameBatch }).batch);
  assert.notEqual(retagging.batch, later);
  retagging.end();
});

test('a frame that a tag makes longer than the longest super-frame is too long', () => {
  const retagging = new Retagging();
  const from = batchOf(untagged(MAX_SUPER_FRAME_BYTES - 4), untagged(MAX_SUPER_FRAME_BYTES - 3));
  assert.equal(octetsOf(copyAs(retagging, from, 0, FORM_C_TAG)).length / 2, MAX_SUPER_FRAME_BYTES);
  assert.equal(copyAs(retagging, from, 1, FORM_C_TAG), 'tooLong');
  assert.equal(copyAs(retagging, from, 1, FORM_C_TAG), 'tooLong');
  retagging.end();
});

test('the offload header of a super-frame is kept, and its offsets move; other copies need no offloads', () => {
  // These take the idle slabs of other tests, so that the next one is new.
  const others = Array.from({ length: MOST_IDLE_SLABS }, () => new Retagging());
  for (const other of others) copyAs(other, batchOf(untagged(64)), 0, FORM_C_TAG);
  const retagging = new Retagging();
  const { frame, header } = superFrameOf({ payload: Buffer.alloc(2500) }, 1000);
  copyAs(retagging, batchWithHeaders([{ frame, header }]), 0, FORM_C_TAG);
  const { batch } = retagging;
  const at = (batch.starts[0] as number) - 10;
  assert.equal(batch.hasOffloadHeaders, true);
  assert.equal(neededOffloads(batch.bytes, at), 1 | 2);
  assert.deepEqual(
    [headerBytesOf(batch.bytes, at), checksumStartOf(batch.bytes, at)],
    [header.headerBytes + 4, header.checksumStart + 4],
  );
  retagging.end();
  copyAs(retagging, batchOf(untagged(64)), 0, FORM_C_TAG);
  assert.equal(neededOffloads(retagging.batch.bytes, (retagging.batch.starts[0] as number) - 10), OFFLOAD_NONE);
  for (const each of [retagging, ...others]) each.end();
});

test('after a batch its slab serves the next one, also of another bridge, and four idle ones are kept', () => {
  const from = batchOf(untagged(64));
  const bridges = Array.from({ length: MOST_IDLE_SLABS + 2 }, () => new Retagging());
  const slabs = (): FrameBatch[] =>
    bridges.map((retagging) => {
      assert.equal(copyAs(retagging, from, 0, FORM_C_TAG) === 'tooLong', false);
      assert.deepEqual([retagging.index, retagging.batch.count], [0, 1]);
      return retagging.batch;
    });
  const before = slabs();
  assert.equal(new Set(before).size, bridges.length);
  for (const retagging of bridges) retagging.end();
  const after = slabs();
  assert.equal(after.filter((slab) => before.includes(slab)).length, MOST_IDLE_SLABS);
  for (const retagging of bridges) retagging.end();
});
