import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './check.ts';
import { SPANNING_TREE_OPTIONS, SPANNING_TREE_PORT_OPTIONS } from './spanning-tree-options.ts';
import { objectOf } from './table.ts';

test('a cost or a priority that is no number is refused with what it may be', () => {
  const ports = objectOf(SPANNING_TREE_PORT_OPTIONS);
  for (const pathCost of ['low', '1e3', '', 0, 1.5]) {
    assert.throws(() => check(ports, { pathCost }), /pathCost must be auto or a whole number from 1 to/);
  }
  assert.throws(
    () => check(ports, { portPriority: 'x' }),
    /portPriority must be a multiple of 16 from 0 to 240, got "x"/,
  );
  const networks = objectOf(SPANNING_TREE_OPTIONS);
  for (const priority of ['high', 100, -4096]) {
    assert.throws(() => check(networks, { priority }), /priority must be a multiple of 4096 from 0 to 61440, got/);
  }
});
