import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestNodes } from '../../test/support/roaming-node.ts';
import { until } from '../../test/support/waits.ts';
import type { ClusterTable } from './cluster-store.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';
import { Sessions } from './sessions.ts';
import { storeConflict } from './store-errors.ts';

test('a session whose row cannot be written because of conflicts is attempted less and less often', async (t) => {
  const store = new MemoryStore(new MemoryHub());
  const table = store.table('sessions');
  let attempts = 0;
  const refusing: ClusterTable = Object.assign(Object.create(table) as ClusterTable, {
    watch: () => () => undefined,
    get: () => undefined,
    put: async (key: string) => {
      attempts++;
      throw storeConflict(key, 0);
    },
  });
  store.table = () => refusing;
  const sessions = new Sessions({ store, nodes: new TestNodes().of('a'), graceMs: () => 60_000 });
  t.after(() => sessions.close());
  const record = { target: 'x:1', address: 'x', shut: false, away: false };
  sessions.enter('s', { record: () => record, lost: () => undefined });
  const startMs = performance.now();
  await until(() => attempts >= 5);
  assert.ok(performance.now() - startMs > 600, 'at the first interval five attempts take 250 ms');
});
