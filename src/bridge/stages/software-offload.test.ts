import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, superFrameOf } from '../../../test/support/frames.ts';
import { portableEngine } from '../../wire/offload/engine.ts';
import { type FinishedFrames, SoftwareOffload } from './software-offload.ts';

/** Three super-frames of two segments each, which differ in their octets. */
function superFrames(octets: readonly number[] = [1, 2, 3]) {
  return batchWithHeaders(octets.map((octet) => superFrameOf({ payload: Buffer.alloc(1000, octet) }, 600)));
}

/** The last octet of each of the finished frames. */
function lastOctets(finished: ReturnType<SoftwareOffload['finish']>): (number | undefined)[] {
  const { batch, from, to } = finished as FinishedFrames;
  return Array.from({ length: to - from }, (_, at) => batch.frame(from + at).at(-1));
}

test('the segments of a frame are made once in a batch, for each form of its tag and each kind of egress', () => {
  const offload = new SoftwareOffload(portableEngine);
  const batch = superFrames();
  offload.begin();
  for (const index of [1, 0, 2]) {
    const made = [0, 3].flatMap((form) =>
      [0, 1 | 16].map((offloads) => offload.finish(batch, index, offloads, form as 0 | 3)),
    );
    for (const finished of made) assert.deepEqual(lastOctets(finished), [index + 1, index + 1]);
    assert.equal(new Set(made).size, 4);
    assert.equal(offload.finish(batch, index, 0, 3), made[2]);
  }
});

test('a new batch has none of the segments of the one before', () => {
  const offload = new SoftwareOffload(portableEngine);
  for (const octet of [1, 4]) {
    offload.begin();
    const batch = superFrames([octet, octet + 1]);
    for (const index of [1, 0])
      assert.deepEqual(lastOctets(offload.finish(batch, index, 0)), Array(2).fill(octet + index));
  }
});

test('a form of a frame is known by the frame that it was made of', () => {
  const offload = new SoftwareOffload(portableEngine);
  const batch = superFrames();
  offload.begin();
  const finished = offload.finish(batch, 2, 0, 1, 7);
  assert.equal(offload.finish(superFrames([9]), 0, 0, 1, 7), finished);
  assert.deepEqual(lastOctets(offload.finish(batch, 1, 0, 1, 2)), [2, 2]);
});
