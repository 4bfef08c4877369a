import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Vid } from './vid.ts';
import { VidSet } from './vid-set.ts';

for (const [text, shortest, size] of [
  ['10', '10', 1],
  ['10,20,30-40', '10,20,30-40', 13],
  ['40,30-39, 20 ,10,35-40', '10,20,30-40', 13],
  ['1,2,3', '1-3', 3],
  ['1-4094', 'all', 4094],
  ['all', 'all', 4094],
  ['4094', '4094', 1],
  ['31,32,33,63,64', '31-33,63-64', 5],
] as const) {
  test(`"${text}" is the set ${shortest}`, () => {
    const set = VidSet.parse(text);
    assert.equal(String(set), shortest);
    assert.equal(set?.size, size);
    assert.equal([...(set ?? [])].length, size);
  });
}

for (const text of [
  '',
  '0',
  '4095',
  '10-',
  '-10',
  '20-10',
  '10,,20',
  '10;20',
  'ten',
  '1e2',
  '0x10',
  'all,10',
  '10000',
]) {
  test(`"${text}" is no set of VIDs`, () => {
    assert.equal(VidSet.parse(text), undefined);
  });
}

test('a set has its VIDs, and never 0 or 4095', () => {
  const set = VidSet.parse('1,31,32,4094');
  const has = [0, 1, 2, 30, 31, 32, 33, 4093, 4094, 4095].filter((vid) => set?.has(vid as Vid));
  assert.deepEqual(has, [1, 31, 32, 4094]);
  assert.deepEqual([VidSet.ALL.has(0 as Vid), VidSet.ALL.has(4095 as Vid)], [false, false]);
});
