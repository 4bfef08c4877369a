import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closestWord } from './closest-word.ts';

test('the word that was meant is found, and none where nothing is near', () => {
  const known = ['uplink', 'uplink-2', 'lab', 'port-down', 'port-up'];
  for (const [typed, meant] of [
    ['uplnk', 'uplink'],
    ['upilnk', 'uplink'],
    ['uplinkk', 'uplink'],
    ['Uplink', 'uplink'],
    ['uplink-3', 'uplink-2'],
    ['lav', 'lab'],
    ['port-dwon', 'port-down'],
    ['lan-5', undefined],
    ['x', undefined],
    ['', undefined],
    ['downlink-of-a-tower', undefined],
  ] as const) {
    assert.equal(closestWord(typed, known), meant, typed);
  }
  assert.equal(closestWord('uplink', []), undefined);
});
