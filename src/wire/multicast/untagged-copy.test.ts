import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TPID_C_TAG, TPID_S_TAG } from '../ethernet/tag.ts';
import { untaggedCopy } from './untagged-copy.ts';

test('a copy is without the outer tag of the kind of the port, and keeps all else', () => {
  const addresses = '01005e010203020000000001';
  for (const [tags, ofCustomers, ofProviders] of [
    ['', '', ''],
    ['81000000', '', '81000000'],
    ['8100efff', '', '8100efff'],
    ['88a80007', '88a80007', ''],
    ['88a8000781000005', '88a8000781000005', '81000005'],
    ['8100000781000005', '81000005', '8100000781000005'],
  ] as const) {
    const frame = Buffer.from(`${addresses}${tags}0800123456`, 'hex');
    const slab = Buffer.concat([Buffer.alloc(5, 0xee), frame, Buffer.alloc(5, 0xee)]);
    for (const [tpid, rest] of [
      [TPID_C_TAG, ofCustomers],
      [TPID_S_TAG, ofProviders],
    ] as const) {
      const copy = untaggedCopy(slab, 5, frame.length, tpid);
      assert.equal(copy.toString('hex'), `${addresses}${rest}0800123456`);
    }
    assert.equal(untaggedCopy(slab, 5, frame.length).toString('hex'), `${addresses}${ofCustomers}0800123456`);
  }
});
