import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeySequence, SEQUENCE_MS } from './key-sequence.ts';

const VIEWS = [
  { id: 'ports', key: 'p' },
  { id: 'stations', key: 's' },
];

test('g and a letter lead to a view, if the letter follows soon', () => {
  const keys = new KeySequence(VIEWS);
  assert.equal(keys.press('p', 0), undefined, 'a letter alone does nothing');
  assert.equal(keys.press('g', 10), undefined);
  assert.deepEqual(keys.press('p', 10 + SEQUENCE_MS), { kind: 'view', id: 'ports' });
  assert.equal(keys.press('s', 20), undefined, 'each letter needs a g of its own');
  keys.press('g', 100);
  assert.equal(keys.press('s', 101 + SEQUENCE_MS), undefined, 'too late');
  keys.press('g', 5000);
  assert.equal(keys.press('x', 5001), undefined, 'no view has this letter');
  assert.equal(keys.press('p', 5002), undefined, 'and then the g is over');
});

test('single keys', () => {
  const keys = new KeySequence(VIEWS);
  assert.deepEqual(
    ['/', '?', 'Escape', 'a'].map((key) => keys.press(key, 0)?.kind),
    ['search', 'help', 'close', undefined],
  );
});
