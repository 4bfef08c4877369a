import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT } from '../observability/logger.ts';
import { MeshRefusals } from './mesh-refusals.ts';

test('refused mesh tunnels are counted, and said once a minute', () => {
  const said: object[] = [];
  const refusals = new MeshRefusals({ ...SILENT, warn: (fields) => void said.push(fields) });
  refusals.note('r1', 'room1', 4, 1000);
  refusals.note('r1', 'room2', 4, 1000);
  refusals.note('r3', 'room1', 4, 60_999);
  assert.deepEqual(said, [{ node: 'r1', network: 'room1', most: 4, refused: 1 }]);
  refusals.note('r3', 'room2', 4, 61_000);
  assert.deepEqual(said.slice(1), [{ node: 'r3', network: 'room2', most: 4, refused: 4 }]);
  assert.equal(refusals.count, 4);
});
