import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../test/support/event-queue.ts';
import { type StoreFixture, storeContract } from '../../test/support/store-contract.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';

async function fixtureOf(hub: MemoryHub): Promise<StoreFixture> {
  const stores: MemoryStore[] = [];
  return {
    join: async () => {
      const store = new MemoryStore(hub);
      stores.push(store);
      await store.table('config').whenLoaded();
      return store;
    },
    setConnected: async (store, isConnected) => (store as MemoryStore).setConnected(isConnected),
    dispose: async () => {
      for (const store of stores) await store.close();
    },
  };
}

storeContract('the store in memory', () => fixtureOf(new MemoryHub()));
storeContract('the store in memory with latency', () => fixtureOf(new MemoryHub({ latencyMs: 2 })));

test('receivers share one frozen copy of a message', async () => {
  const hub = new MemoryHub();
  const [a, b] = [new MemoryStore(hub), new MemoryStore(hub)];
  const heard: unknown[] = [];
  for (const store of [a, b]) store.subscribe('s', (message) => heard.push(message));
  const message = { deep: { list: [1] } };
  a.publish('s', message);
  message.deep.list.push(2);
  await new Promise(setImmediate);
  assert.deepEqual(heard, [{ deep: { list: [1] } }, { deep: { list: [1] } }]);
  assert.equal(heard[0], heard[1]);
  assert.ok(Object.isFrozen((heard[0] as typeof message).deep.list));
});

test('a virtual clock can carry the messages', async () => {
  const queue = new EventQueue();
  let nowMs = 0;
  const schedule = (run: () => void, delayMs: number): (() => void) => {
    let isCancelled = false;
    queue.add(nowMs + delayMs, () => {
      if (!isCancelled) run();
    });
    return () => {
      isCancelled = true;
    };
  };
  const hub = new MemoryHub({ schedule, latencyMs: 5 });
  const [a, b] = [new MemoryStore(hub), new MemoryStore(hub)];
  const heard: number[] = [];
  b.subscribe('s', () => heard.push(nowMs));
  a.publish('s', 1);
  for (let next = queue.takeUntil(100); next !== undefined; next = queue.takeUntil(100)) {
    nowMs = next.atMs;
    next.action();
  }
  assert.deepEqual(heard, [5]);
  assert.ok(b.table('config').isLoaded);
});
