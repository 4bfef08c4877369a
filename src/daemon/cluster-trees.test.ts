import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { MemoryHub, MemoryStore } from '../cluster/memory-store.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { ClusterTrees } from './cluster-trees.ts';

function openTrees(t: { after: (end: () => unknown) => void }) {
  const etherSwitch = new Switch();
  const table = new MemoryStore(new MemoryHub()).table('config');
  const trees = new ClusterTrees({
    ...{ cluster: 'prod', node: 'r1', table, isMember: () => true, isKeeper: () => true, etherSwitch, logger: SILENT },
  });
  t.after(() => trees.close());
  t.after(() => etherSwitch.close());
  const keys = () => [...table.entries()].flatMap(({ key, value }) => (value === undefined ? [] : [key]));
  return { etherSwitch, keys };
}

test('only a network with a spanning tree has a key in the store, until it is removed', async (t) => {
  const { etherSwitch, keys } = openTrees(t);
  for (const name of ['plain', 'treed']) etherSwitch.addNetwork(name, { stp: name === 'treed' ? 'on' : 'off' });
  for (const network of ['plain', 'treed']) {
    const added = etherSwitch.network(network);
    await until(() => added.entities.mesh.self === 'r1');
    etherSwitch.attach(new MemoryPort(), { network });
  }
  await until(() => keys().length > 0);
  assert.deepEqual(keys(), ['tree.treed']);
  await etherSwitch.removeNetwork('treed', true);
  await until(() => keys().length === 0);
});

test('a network that is removed and made again at once is one bridge with those of the other nodes, too', async (t) => {
  const { etherSwitch, keys } = openTrees(t);
  const former = etherSwitch.addNetwork('lab', { stp: 'on' });
  await until(() => former.entities.mesh.self === 'r1');
  etherSwitch.attach(new MemoryPort(), { network: 'lab' });
  await until(() => keys().length > 0);
  const removed = etherSwitch.removeNetwork('lab', true);
  const again = etherSwitch.addNetwork('lab', { stp: 'on' });
  await removed;
  await until(() => again.entities.mesh.self === 'r1');
  assert.deepEqual(keys(), ['tree.lab'], 'the node keeps its numbers');
});
