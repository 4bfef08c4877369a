import { type StoreFixture, storeContract } from '../../test/support/store-contract.ts';
import { until } from '../../test/support/waits.ts';
import type { ClusterStore } from './cluster-store.ts';
import type { StoreChannel } from './ipc-channel.ts';
import { IpcStore } from './ipc-store.ts';
import { serveStore } from './ipc-store-server.ts';
import { MemoryHub, MemoryStore } from './memory-store.ts';

/** Two ends in one process. As in a pipe, what was sent arrives later and in order. */
function channelPair(): [StoreChannel, StoreChannel] {
  const ends: [StoreChannel, StoreChannel] = [endTo(1), endTo(0)];
  function endTo(other: 0 | 1): StoreChannel {
    return {
      send: (text) => setImmediate(() => ends[other].onText?.(text)),
      onText: undefined,
      onGone: undefined,
    };
  }
  return ends;
}

async function fixtureOf(): Promise<StoreFixture> {
  const hub = new MemoryHub();
  const served = new Map<ClusterStore, MemoryStore>();
  return {
    join: async () => {
      const [near, far] = channelPair();
      const store = new IpcStore(near);
      const own = new MemoryStore(hub);
      serveStore(own, far);
      served.set(store, own);
      await store.table('config').whenLoaded();
      await store.table('sessions').whenLoaded();
      return store;
    },
    setConnected: async (store, isConnected) => {
      served.get(store)?.setConnected(isConnected);
      await until(() => store.isConnected === isConnected);
    },
    dispose: async () => {
      for (const store of served.keys()) await store.close();
    },
  };
}

storeContract('the store of a worker, behind a channel', fixtureOf);
