import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, FrameBatch } from './frame-batch.ts';

test('frames are views into the slab, in their order, however many there are', () => {
  const slab = Buffer.from(Array.from({ length: 100 }, (_, octet) => octet));
  const batch = new FrameBatch(slab, 2);
  for (let at = 10; at < 60; at++) batch.push(at, at % 5);
  assert.equal(batch.count, 50);
  for (let index = 0; index < 50; index++) {
    assert.deepEqual(batch.frame(index), slab.subarray(10 + index, 10 + index + ((10 + index) % 5)));
  }
  assert.deepEqual(batch.offloadHeader(7), slab.subarray(7, 17));
  assert.equal(batch.frame(4).buffer, slab.buffer);
});

test('a batch has room for what was reserved, and keeps what stands there', () => {
  const batch = new FrameBatch(Buffer.alloc(100), 4);
  batch.push(1, 2);
  const { starts } = batch;
  batch.reserve(3);
  assert.equal(batch.starts, starts, 'there is room for three more');
  batch.reserve(4);
  assert.ok(batch.starts.length >= 5 && batch.lengths.length >= 5);
  batch.reserve(1000);
  assert.ok(batch.starts.length >= 1001 && batch.lengths.length >= 1001);
  assert.deepEqual([batch.starts[0], batch.lengths[0], batch.count], [1, 2, 1]);
});

test('no two deliveries have the same serial number, of one batch or of several', () => {
  const batches = [new FrameBatch(Buffer.alloc(1)), batchOf(Buffer.alloc(1)), new FrameBatch(Buffer.alloc(1), 1)];
  const serials = batches.map(({ serial }) => serial);
  for (const batch of batches) {
    batch.push(0, 1);
    batch.renew();
    serials.push(batch.serial);
    batch.clear();
    assert.equal(batch.count, 0);
    serials.push(batch.serial);
  }
  assert.equal(new Set(serials).size, 9);
});

test('a batch of given frames has copies of them, and owes nothing', () => {
  const frames = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')];
  const batch = batchOf(...frames);
  frames[0]?.fill(0);
  assert.deepEqual(
    [0, 1, 2].map((index) => batch.frame(index).toString()),
    ['one', '', 'three'],
  );
  assert.equal(batch.hasOffloadHeaders, false);
  assert.equal(batchOf().count, 0);
});
