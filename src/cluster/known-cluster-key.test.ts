import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtherwsError } from '../errors.ts';
import { SILENT } from '../observability/logger.ts';
import { clusterKeyOf } from './cluster-key.ts';
import { KnownClusterKey } from './known-cluster-key.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';

const tableOf = (hub: MemoryHub) => new MemoryStore(hub).table('config');

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

test('nodes that make the key at the same time have the same one', async () => {
  const hub = new MemoryHub();
  const nodes = [1, 2, 3].map(() => new KnownClusterKey(tableOf(hub), SILENT));
  assert.deepEqual(
    nodes.map(({ keys }) => keys),
    [[], [], []],
  );
  await Promise.all(nodes.map((node) => node.make()));
  await turns();
  const [first, ...others] = nodes.map(({ keys }) => keys);
  assert.equal(first?.[0]?.length, 32);
  assert.deepEqual(others, [first, first]);
});

test('a table that has lost the key gets the same one back, but not from a node that has ended', async () => {
  const hub = new MemoryHub();
  const [table, other] = [tableOf(hub), tableOf(hub)];
  const node = new KnownClusterKey(table, SILENT);
  table.watch(() => node.tableChanged());
  await turns();
  assert.equal(clusterKeyOf(table), undefined, 'a change of the table alone makes no key');
  await node.make();
  await turns();
  const { keys } = node;
  await other.remove('cluster.key');
  await turns();
  assert.deepEqual([clusterKeyOf(other)], keys);

  node.close();
  await other.remove('cluster.key');
  await turns();
  assert.equal(clusterKeyOf(other), undefined);
  assert.deepEqual(node.keys, keys, 'it is the key of tunnels that stand');
});

test('a key that cannot be made is tried for again by one timer, however often the store has come back', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const table = tableOf(new MemoryHub());
  let attempts = 0;
  table.put = async () => {
    attempts++;
    throw new EtherwsError('CLUSTER_UNAVAILABLE', 'no quorum');
  };
  const node = new KnownClusterKey(table, SILENT);
  for (let back = 0; back < 5; back++) {
    void node.make();
    await turns();
  }
  assert.equal(attempts, 5);
  t.mock.timers.tick(1000);
  await turns();
  assert.equal(attempts, 6);
  node.close();
  t.mock.timers.tick(1000);
  await turns();
  assert.equal(attempts, 6);
});
