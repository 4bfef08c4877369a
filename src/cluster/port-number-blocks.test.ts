import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import type { ClusterTable } from './cluster-store.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';
import { PortNumberBlocks } from './port-number-blocks.ts';

function blocksOf(store: MemoryStore, node: string, isMember: (node: string) => boolean = () => true) {
  const warnings: string[] = [];
  const options = { table: store.table('config'), node, network: 'lab.one', isMember };
  return { warnings, blocks: new PortNumberBlocks({ ...options, warn: (reason) => void warnings.push(reason) }) };
}

function ownersIn(table: ClusterTable): (string | null)[] {
  const entry = table.get('tree.lab=2Eone');
  assert.ok(entry !== undefined);
  return (entry.value as { blocks: (string | null)[] }).blocks;
}

/** Takes numbers as a tree does: again when there are others. */
async function takeAll(blocks: PortNumberBlocks, count: number): Promise<number[]> {
  const taken: number[] = [];
  const take = () => {
    while (taken.length < count) {
      const number = blocks.take(taken.length + 1);
      if (number === undefined) return;
      taken.push(number);
    }
  };
  blocks.onNumbers(take);
  take();
  await until(() => taken.length === count);
  return taken;
}

test('nodes that ask at the same time get numbers that no other has, beyond one block, too', async () => {
  const hub = new MemoryHub();
  const nodes = ['r1', 'r2', 'r3'].map((name) => blocksOf(new MemoryStore(hub), name).blocks);
  const taken = await Promise.all(nodes.map((blocks) => takeAll(blocks, 130)));
  const all = taken.flat();
  assert.equal(new Set(all).size, 390);
  assert.ok(all.every((number) => number >= 1 && number <= 4095));
  for (const blocks of nodes) blocks.close();
});

test('a node that starts again has the same numbers', async () => {
  const hub = new MemoryHub();
  const first = blocksOf(new MemoryStore(hub), 'r1').blocks;
  const [number] = await takeAll(first, 1);
  first.close();
  const other = blocksOf(new MemoryStore(hub), 'r2').blocks;
  await takeAll(other, 1);
  const again = blocksOf(new MemoryStore(hub), 'r1').blocks;
  assert.deepEqual(await takeAll(again, 1), [number]);
  for (const blocks of [other, again]) blocks.close();
});

test('only when no block is free one of a node that is gone is taken, and that node takes another one', async () => {
  const hub = new MemoryHub();
  const store = new MemoryStore(hub);
  const owners = Array.from({ length: 64 }, (_, at) => (at === 63 ? 'gone' : 'r1'));
  await store.table('config').put('tree.lab=2Eone', { blocks: owners });
  const late = blocksOf(store, 'r2', (node) => node !== 'gone');
  assert.deepEqual(await takeAll(late.blocks, 1), [63 * 64]);
  const gone = blocksOf(new MemoryStore(hub), 'gone');
  assert.equal(gone.blocks.take(1), undefined);
  await until(() => gone.warnings.length === 1);
  assert.match(gone.warnings[0] ?? '', /all 64 blocks are taken/);
  for (const { blocks } of [late, gone]) blocks.close();
});

test('without the store a node keeps its numbers, and gets more when the store is there again', async () => {
  const store = new MemoryStore(new MemoryHub());
  const { blocks } = blocksOf(store, 'r1');
  const taken = await takeAll(blocks, 63);
  store.setConnected(false);
  assert.equal(blocks.take(1, taken[0]), taken[0]);
  assert.equal(blocks.take(64), undefined);
  store.setConnected(true);
  await takeAll(blocks, 1);
  blocks.close();
});

test('a block is claimed when a number is asked for, and not before', async () => {
  const store = new MemoryStore(new MemoryHub());
  const { blocks } = blocksOf(store, 'r1');
  await store.table('config').whenLoaded();
  await store.table('config').put('other', 1);
  assert.equal(store.table('config').get('tree.lab=2Eone'), undefined);
  await takeAll(blocks, 1);
  assert.notEqual(store.table('config').get('tree.lab=2Eone'), undefined);
  blocks.close();
});

test('nodes give their blocks back when the network is removed, and the last one removes the key', async () => {
  const hub = new MemoryHub();
  const stores = ['r1', 'r2'].map(() => new MemoryStore(hub));
  const table = stores[0]?.table('config');
  const [first, second] = stores.map((store, at) => blocksOf(store, `r${at + 1}`).blocks);
  assert.ok(table !== undefined && first !== undefined && second !== undefined);
  const taken = [await takeAll(first, 65), await takeAll(second, 1)];
  assert.deepEqual(taken[1], [128]);
  await first.release();
  const blocks = ownersIn(table);
  assert.deepEqual(
    blocks.flatMap((owner, at) => (owner === null ? [] : [`${at} ${owner}`])),
    ['2 r2'],
  );
  await second.release();
  await until(() => table.get('tree.lab=2Eone') === undefined);
});

test('blocks are given back when the store is there again, unless the node wants to keep them', async () => {
  const hub = new MemoryHub();
  const [store, other] = [new MemoryStore(hub), new MemoryStore(hub)];
  const [kept, given] = [blocksOf(store, 'r1').blocks, blocksOf(other, 'r2').blocks];
  await takeAll(kept, 1);
  await takeAll(given, 1);
  for (const each of [store, other]) each.setConnected(false);
  let released = 0;
  for (const blocks of [kept, given]) void blocks.release().then(() => released++);
  kept.close();
  for (const each of [store, other]) each.setConnected(true);
  await until(() => released === 2);
  const blocks = ownersIn(other.table('config'));
  assert.deepEqual(blocks.slice(0, 2), ['r1', null]);
});
