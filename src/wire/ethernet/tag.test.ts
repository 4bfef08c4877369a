import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUT_TAG, countTags, NO_TAG, TPID_C_TAG, TPID_S_TAG, tagOf, tciOf } from './tag.ts';
import type { Vid } from './vid.ts';

const ADDRESSES = '020000000001020000000002';

function bytesOf(tagsAndType: string): Buffer {
  return Buffer.from(`ffff${ADDRESSES}${tagsAndType}ffff`, 'hex');
}

for (const [octets, cTag, sTag] of [
  ['08004500', NO_TAG, NO_TAG],
  ['8100a0050800', 0xa005, NO_TAG],
  ['88a8a0050800', NO_TAG, 0xa005],
  ['88a80005810000060800', NO_TAG, 5],
  ['810000000800', 0, NO_TAG],
  ['8100a00508', CUT_TAG, NO_TAG],
  ['8100', CUT_TAG, NO_TAG],
] as const) {
  test(`the TCI of ${octets}`, () => {
    const bytes = bytesOf(octets);
    const length = bytes.length - 4;
    assert.deepEqual([tciOf(bytes, 2, length, TPID_C_TAG), tciOf(bytes, 2, length, TPID_S_TAG)], [cTag, sTag]);
  });
}

test('a tag keeps the priority and drop eligibility of the one that it replaces', () => {
  assert.equal(tagOf(TPID_C_TAG, 0xf123, 5 as Vid), 0x8100_f005);
  assert.equal(tagOf(TPID_S_TAG, NO_TAG, 4094 as Vid), 0x88a8_0ffe);
});

test('tags are counted up to those whose EtherType is there', () => {
  const counted = ['0800', '810000050800', '88a8000581000006', '88a80005810000060800', '8100000181000002810000030800'];
  assert.deepEqual(
    counted.map((octets) => countTags(bytesOf(octets), 2, 12 + octets.length / 2, 3)),
    [0, 1, 1, 2, 3],
  );
  assert.equal(countTags(bytesOf('8100000181000002810000030800'), 2, 26, 2), 2);
});
