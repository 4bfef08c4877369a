import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT } from '../observability/logger.ts';
import type { KeptEntry } from './kept-config.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';
import { SharedConfig } from './shared-config.ts';
import { networkKey } from './shared-value.ts';

const BY = { by: 'ann', at: '2026-11-30T09:00:00.000Z' };
const lab = (ageout: number): unknown => ({ settings: { ageout }, ...BY });
const settled = (): Promise<void> => new Promise(setImmediate);

function follow(store: MemoryStore, kept?: readonly KeptEntry[]) {
  const told: unknown[] = [];
  const complaints: string[] = [];
  const warnings: string[] = [];
  let writes = 0;
  const config = new SharedConfig({
    ...{ store, kept },
    logger: {
      ...SILENT,
      error: (_facts: object, text: string) => void complaints.push(text),
      warn: (_facts: object, text: string) => {
        if (text.includes('lost what')) warnings.push(text);
      },
    },
    keep: () => void writes++,
    receiver: {
      network: (name, settings) => void told.push([name, settings]),
      policy: ({ text }) => {
        if (text === 'bad') throw new Error('no policy');
        told.push(text);
      },
    },
  });
  return { config, told, complaints, warnings, kept: () => config.section().entries, writes: () => writes };
}

test('networks and the policy are applied when they are heard, and each change of them', async () => {
  const hub = new MemoryHub();
  const table = new MemoryStore(hub).table('config');
  await table.put(networkKey('lab'), lab(60));
  await table.put('stp/lab', { block: 1 });
  const node = follow(new MemoryStore(hub));
  await node.config.ready(1000);
  await table.put('policy', { text: 'users:', ...BY });
  const last = await table.put(networkKey('lab'), { settings: null, ...BY });
  await settled();
  assert.deepEqual(node.told, [['lab', { ageout: 60 }], 'users:', ['lab', null]]);
  assert.deepEqual(node.config.state, { revision: last, withoutStoreSince: null });
  assert.equal(node.config.policy()?.policy.text, 'users:');
});

test('a value that cannot be applied leaves the former one in force, and is said', async () => {
  const hub = new MemoryHub();
  const table = new MemoryStore(hub).table('config');
  const node = follow(new MemoryStore(hub));
  await table.put('policy', { text: 'users:', ...BY });
  await table.put('policy', { text: 'bad', ...BY });
  await table.put(networkKey('lab'), { settings: { colour: 'red' }, ...BY });
  await settled();
  assert.deepEqual(node.told, ['users:']);
  assert.equal(node.config.policy()?.policy.text, 'users:');
  assert.equal(node.complaints.length, 2);
});

test('a node without the store runs on what it knew, says since when, and applies later what changed meanwhile', async () => {
  const hub = new MemoryHub();
  const table = new MemoryStore(hub).table('config');
  await table.put(networkKey('lab'), lab(60));
  const store = new MemoryStore(hub);
  const node = follow(store);
  await node.config.ready(1000);
  store.setConnected(false);
  await table.put(networkKey('lab'), lab(5));
  await settled();
  assert.ok(Date.parse(node.config.state.withoutStoreSince ?? '') > 0);
  assert.deepEqual(node.told, [['lab', { ageout: 60 }]]);
  store.setConnected(true);
  await settled();
  assert.equal(node.config.state.withoutStoreSince, null);
  assert.deepEqual(node.told.at(-1), ['lab', { ageout: 5 }]);
});

test('a node that starts without the store has what it kept, and keeps what the store has lost', async () => {
  const hub = new MemoryHub();
  const table = new MemoryStore(hub).table('config');
  await table.put(networkKey('lab'), lab(60));
  await table.put(networkKey('yard'), lab(7));
  const first = follow(new MemoryStore(hub));
  await first.config.ready(1000);
  first.config.close();
  const kept = JSON.parse(JSON.stringify(first.kept())) as KeptEntry[];

  const other = new MemoryHub();
  await new MemoryStore(other).table('config').put(networkKey('lab'), lab(5));
  const store = new MemoryStore(other);
  store.setConnected(false);
  const again = follow(store, kept);
  await again.config.ready(1000);
  assert.deepEqual(again.told, [
    ['lab', { ageout: 60 }],
    ['yard', { ageout: 7 }],
  ]);
  store.setConnected(true);
  await settled();
  assert.deepEqual(again.told.slice(2), [['lab', { ageout: 5 }]]);
  assert.deepEqual(again.warnings, ['the store has lost what this node knows; it stays in force here']);
  assert.deepEqual(
    again.kept().map(({ key }) => key),
    [networkKey('lab'), networkKey('yard')],
  );
});

test('a node that knows nothing, and has no store, does not become ready', async () => {
  const store = new MemoryStore(new MemoryHub());
  store.setConnected(false);
  await assert.rejects(follow(store).config.ready(20), { code: 'CLUSTER_UNAVAILABLE' });
  Object.assign(store, { shown: 'nats://a,nats://b', reason: 'connection refused' });
  await assert.rejects(follow(store).config.ready(20), {
    message: 'The store at nats://a,nats://b did not answer within 0.02 s: connection refused',
  });
});

test('a node that cannot read the policy of the store does not begin without one', async () => {
  const hub = new MemoryHub();
  await new MemoryStore(hub).table('config').put('policy', { text: 'bad', ...BY });
  const fresh = follow(new MemoryStore(hub));
  await assert.rejects(fresh.config.ready(1000), /no policy/);
  const known = follow(new MemoryStore(hub), [{ key: 'policy', value: { text: 'users:', ...BY }, revision: 1 }]);
  await known.config.ready(1000);
  assert.deepEqual(known.told, ['users:'], 'the former one is in force');
});
