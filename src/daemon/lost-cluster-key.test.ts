import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { clusterKeyOf } from '../cluster/cluster-key.ts';
import { MemoryHub, MemoryStore } from '../cluster/memory-store.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { ClusterService } from './cluster-service.ts';

test('a node gives the key of the cluster back to a store that has lost it', async (t) => {
  const hub = new MemoryHub();
  const store = new MemoryStore(hub);
  const etherSwitch = new Switch();
  const listener = {
    callerOf: () => ({ address: '', tcpPort: undefined }),
    route: () => undefined,
    routeBelow: () => undefined,
  };
  const service = new ClusterService({
    config: { name: 'c', node: 'a', cacertsFile: undefined },
    url: async () => null,
    load: () => ({ tunnels: 0, mostTunnels: 1, loopDelayMs: 0 }),
    tunnels: { counters: new EndpointCounters(), listener, path: '/' },
    ...{ store, etherSwitch, logger: SILENT },
  });
  t.after(async () => {
    await service.close();
    await etherSwitch.close();
    await store.close();
  });
  await service.start();
  const config = new MemoryStore(hub).table('config');
  await until(() => clusterKeyOf(config) !== undefined);
  const key = clusterKeyOf(config);
  await until(() => clusterKeyOf(store.table('config')) !== undefined);
  await config.remove('cluster.key');
  await until(() => clusterKeyOf(config) !== undefined);
  assert.deepEqual(clusterKeyOf(config), key);
});
