import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryHub, MemoryStore } from './memory-store.ts';
import { answerClaims, type NameOwner, requireFreeName } from './name-claim.ts';

const OURS = { cluster: 'prod', node: 'r1', boot: 'ours' };

test('a name is taken if another start answers for it', async () => {
  const hub = new MemoryHub();
  const [store, other] = [new MemoryStore(hub), new MemoryStore(hub)];
  let owner: NameOwner = { boot: 'theirs', url: 'ws://192.0.2.1/' };
  const stop = answerClaims(other, 'r1', () => owner);
  await assert.rejects(requireFreeName(store, OURS), {
    code: 'CLUSTER_NODE_TAKEN',
    message: 'Another living node of the cluster "prod" (ws://192.0.2.1/) is called "r1"',
  });
  await requireFreeName(store, { ...OURS, node: 'r2' });
  owner = { boot: 'theirs', url: null };
  await assert.rejects(requireFreeName(store, OURS), {
    message: 'Another living node of the cluster "prod" is called "r1"',
  });
  owner = { boot: 'ours', url: null };
  await requireFreeName(store, OURS);
  owner = { boot: 'theirs', url: null };
  stop();
  await requireFreeName(store, OURS);
});

test('a name is free where the store cannot be asked, but a refusal of the store is told', async (t) => {
  const hub = new MemoryHub();
  const [store, other] = [new MemoryStore(hub), new MemoryStore(hub)];
  answerClaims(other, 'r1', () => ({ boot: 'theirs', url: null }));
  store.setConnected(false);
  await requireFreeName(store, OURS);
  store.setConnected(true);
  t.mock.method(store, 'request', () => Promise.reject(new TypeError('no permission')));
  await assert.rejects(requireFreeName(store, OURS), /no permission/);
});
