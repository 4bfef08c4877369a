import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryKind } from '../filtering-entry.ts';
import { type Claim, isHeldBySome, isSet, type MeshStation, supersedes } from './mesh-station.ts';

test('a station that is set stays; else the later move wins, and of equal ones the lower node', () => {
  const claim = (sequence: number, node: string, isHeld = false): Claim => ({ sequence, isHeld, node });
  for (const [winner, loser] of [
    [claim(0, 'b', true), claim(9, 'a')],
    [claim(2, 'b'), claim(1, 'a')],
    [claim(2, 'b', true), claim(1, 'a', true)],
    [claim(1, 'a'), claim(1, 'b')],
    [claim(1, 'a', true), claim(1, 'b', true)],
  ] as const) {
    assert.deepEqual([supersedes(winner, loser), supersedes(loser, winner)], [true, false]);
  }
  assert.equal(supersedes(claim(1, 'a'), claim(1, 'a')), false, 'a claim does not supersede itself');
});

test('a station is held where the operator has set it, and where a node has told so', () => {
  const of = (kind: EntryKind, isHeld: boolean): boolean[] => {
    const station = { kind, isHeld } as MeshStation;
    return [isSet(station), isHeldBySome(station)];
  };
  assert.deepEqual(of('static', false), [true, true]);
  assert.deepEqual(of('sticky', false), [true, true]);
  assert.deepEqual(of('told', false), [false, false]);
  assert.deepEqual(of('told', true), [false, true]);
  assert.deepEqual(of('learned', false), [false, false]);
  assert.deepEqual(of('learned', true), [false, false], 'it was held at the node from which it has moved here');
});
