import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { NatsServer } from '../../../test/support/nats-server.ts';
import { TestNodes } from '../../../test/support/roaming-node.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { until, within } from '../../../test/support/waits.ts';
import { SILENT } from '../../observability/logger.ts';
import { clusterKeyOf, ensureClusterKey } from '../cluster-key.ts';
import { Sessions } from '../sessions.ts';
import { SharedConfig } from '../shared-config.ts';
import { networkKey } from '../shared-value.ts';
import { NatsStore } from './nats-store.ts';
import { NatsTable } from './nats-table.ts';

const skip = missingTools('nats-server');
const BY = { by: 'ann', at: '2026-11-30T09:00:00.000Z' };
const lab = (ageout: number): unknown => ({ settings: { ageout }, ...BY });

async function join(t: TestContext, server: NatsServer): Promise<NatsStore> {
  const store = new NatsStore({ cluster: 'c', shown: server.url, connection: { servers: server.url } });
  t.after(() => store.close());
  await within(store.table('sessions').whenLoaded(), 'tables');
  return store;
}

async function restart(server: NatsServer, store: NatsStore, change: () => void): Promise<void> {
  await server.kill();
  await until(() => !store.isConnected);
  change();
  await server.restart();
}

/** Writes as soon as the store takes changes again. */
async function putSoon(store: NatsStore, key: string, value: unknown): Promise<void> {
  let isWritten = false;
  while (!isWritten) {
    await until(() => store.isConnected);
    isWritten = await store
      .table('config')
      .put(key, value)
      .then(
        () => true,
        () => false,
      );
    await turn();
  }
}

/** A node with one session, whose client is away, and the networks in force. */
function nodeAt(t: TestContext, store: NatsStore) {
  const lost: string[] = [];
  const told: unknown[] = [];
  const sessions = new Sessions({ store, nodes: new TestNodes().of('a'), graceMs: () => 60_000 });
  t.after(() => sessions.close());
  sessions.enter('s', {
    record: () => ({ target: 'x:1', address: 'x', shut: false, away: true, latest: 'hash' }),
    lost: (reason) => lost.push(reason),
  });
  const network = (name: string, settings: unknown): void => void told.push([name, settings]);
  const config = new SharedConfig({
    ...{ store, kept: undefined, logger: SILENT },
    receiver: { network, policy: () => undefined },
  });
  t.after(() => config.close());
  return { lost, told, networks: () => config.networks().map(({ name }) => name) };
}

test('a node accepts a store that was made anew: it keeps what it knew, writes its session, and hears of changes', {
  skip,
}, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const store = await join(t, server);
  for (let round = 0; round < 20; round++) await store.table('config').put('other', round);
  await store.table('config').put(networkKey('lab'), lab(60));
  const node = nodeAt(t, store);
  await until(() => store.table('sessions').get('s') !== undefined && node.told.length === 1);

  await restart(server, store, () => server.removeData());
  await until(() => store.table('config').get('other') === undefined);
  const config = store.table('config');
  assert.ok((await config.put('other', 'new', { expected: 0 })) < 20);
  assert.equal(config.get('other')?.value, 'new');
  assert.equal(config.get(networkKey('lab')), undefined);
  assert.deepEqual(node.networks(), ['lab']);
  const second = await join(t, server);
  await until(() => second.table('sessions').get('s') !== undefined);
  assert.deepEqual(node.lost, []);
  await second.table('config').put(networkKey('lab'), lab(5));
  await until(() => node.told.length === 2);
  assert.deepEqual(node.told, [
    ['lab', { ageout: 60 }],
    ['lab', { ageout: 5 }],
  ]);
});

test('a node accepts a store that was restored from an older backup', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const store = await join(t, server);
  const config = store.table('config');
  await config.put('k', 'old');
  let restore = (): void => undefined;
  await restart(server, store, () => {
    restore = server.backUp();
  });
  await putSoon(store, 'k', 'new');
  for (let round = 0; round < 5; round++) await config.put('later', round);
  await restart(server, store, restore);
  await until(() => config.get('k')?.value === 'old');
  assert.equal(config.get('later'), undefined);
  await config.put('k', 'newest', { expected: config.get('k')?.revision ?? 0 });
});

test('the rows whose marks of removal were removed while a node was away go from its copy', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const connection = await connect({ servers: server.url });
  t.after(() => connection.close());
  const jetStream = jetstream(connection);
  const table = new NatsTable('c', 'sessions');
  await table.load(connection, jetStream);
  await table.put('first', 1);
  await table.put('last', 1);
  table.suspend();
  const manager = await jetStream.jetstreamManager();
  await manager.streams.purge('KV_etherws_c_sessions', { filter: '$KV.etherws_c_sessions.last' });
  await table.load(connection, jetStream);
  assert.deepEqual(
    [...table.entries()].map(({ key }) => key),
    ['first'],
  );
  table.suspend();
});

test('the store gets back the key of the cluster that a node knows', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const store = await join(t, server);
  const config = store.table('config');
  await ensureClusterKey(config);
  const key = clusterKeyOf(config);
  await restart(server, store, () => server.removeData());
  await until(() => clusterKeyOf(config) === undefined);
  await ensureClusterKey(config, key);
  const second = await join(t, server);
  await ensureClusterKey(second.table('config'));
  assert.deepEqual(clusterKeyOf(second.table('config')), key);
});
