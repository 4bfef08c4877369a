import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbsentOwners, MOST_ABSENT_STEPS } from './absent-owners.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';
import { PortNumberBlocks } from './port-number-blocks.ts';
import { treeRowOf } from './tree-row.ts';

const KEY = 'tree.lab';

async function fixture(t: { after: (end: () => void) => void }, owners: readonly string[]) {
  const store = new MemoryStore(new MemoryHub());
  const table = store.table('config');
  await table.whenLoaded();
  await table.put(KEY, { blocks: owners });
  await table.put('net.lab', { blocks: ['gone'] });
  const members = new Set(['r1']);
  const freed: string[] = [];
  const state = { isKeeper: true };
  const absent = new AbsentOwners({
    table,
    isMember: (node) => members.has(node),
    isKeeper: () => state.isKeeper,
    onFreed: (node, key) => void freed.push(`${node} ${key}`),
  });
  t.after(() => absent.close());
  const steps = async (count: number): Promise<void> => {
    for (let step = 0; step < count; step++) await absent.step();
  };
  const row = () => treeRowOf(table.get(KEY)?.value);
  return { store, table, members, freed, state, steps, row };
}

test('the blocks of a node that is absent for 30 days are freed, and those of the others stay', async (t) => {
  const { table, members, freed, steps, row } = await fixture(t, ['gone', 'r1', 'away', 'gone']);
  assert.equal(MOST_ABSENT_STEPS * 6, 30 * 24);
  await steps(MOST_ABSENT_STEPS - 1);
  assert.deepEqual(row().blocks.slice(0, 5), ['gone', 'r1', 'away', 'gone', null]);
  members.add('away');
  await steps(1);
  assert.deepEqual(row().blocks.slice(0, 5), [null, 'r1', 'away', null, null]);
  assert.deepEqual(row().absent, {});
  assert.deepEqual(freed, ['gone tree.lab']);
  members.delete('away');
  await steps(MOST_ABSENT_STEPS - 1);
  assert.deepEqual(row().absent, { away: MOST_ABSENT_STEPS - 1 }, 'counted anew since it was back');
  assert.deepEqual(table.get('net.lab')?.value, { blocks: ['gone'] }, 'other keys are not touched');
});

test('the key of a network whose last owner is absent for so long is removed', async (t) => {
  const { table, steps } = await fixture(t, ['gone']);
  await steps(MOST_ABSENT_STEPS);
  assert.equal(table.get(KEY)?.value, undefined);
});

test('a node that claims a block in between does not end the count', async (t) => {
  const { store, steps, row } = await fixture(t, ['gone']);
  await steps(5);
  const blocks = new PortNumberBlocks({
    ...{ table: store.table('config'), node: 'r1', network: 'lab', isMember: () => true, warn: () => undefined },
  });
  t.after(() => blocks.close());
  blocks.take(1);
  for (let turn = 0; turn < 20 && row().blocks[1] !== 'r1'; turn++) await new Promise(setImmediate);
  assert.deepEqual(row(), { blocks: ['gone', 'r1', ...Array(62).fill(null)], absent: { gone: 5 } });
});

test('nothing is counted by another node, without the store, or where nothing is absent', async (t) => {
  const { store, table, state, steps, row } = await fixture(t, ['r1', 'gone']);
  state.isKeeper = false;
  await steps(2);
  state.isKeeper = true;
  store.setConnected(false);
  await steps(2);
  assert.deepEqual(row().absent, {});
  store.setConnected(true);
  await steps(1);
  assert.deepEqual(row().absent, { gone: 1 });
  await table.put(KEY, { blocks: ['r1'] });
  const { revision } = table.get(KEY) ?? {};
  await steps(3);
  assert.equal(table.get(KEY)?.revision, revision);
});
