import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { DISCARD_REASONS } from '../../../../src/bridge/port.ts';
import { discardsOf, KNOWN_REASONS, meaningOf } from './discards.ts';

test('each reason of the switch is explained, and no other', () => {
  assert.deepEqual([...KNOWN_REASONS].sort(), [...DISCARD_REASONS].sort());
});

test('the pages are there', () => {
  for (const reason of KNOWN_REASONS) assert.ok(existsSync(meaningOf(reason).page), meaningOf(reason).page);
});

test('a reason of a newer switch is shown by its name', () => {
  assert.equal(meaningOf('constructor').words, 'constructor');
  assert.equal(meaningOf('cosmicRay').words, 'cosmicRay');
});

test('discards of both directions are in one list, the most frequent first', () => {
  const discards = discardsOf({ rxDiscards: { runt: 2, filtered: 9 }, txDiscards: { queueFull: 5 } });
  assert.deepEqual(
    discards.map(({ direction, reason }) => `${direction} ${reason}`),
    ['rx filtered', 'tx queueFull', 'rx runt'],
  );
});
