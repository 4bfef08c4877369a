import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { connect, createInbox, type NatsConnection } from '@nats-io/transport-node';
import { NodeProcess } from '../simulation/cluster/real/node-process.ts';
import { RealCluster } from '../simulation/cluster/real/real-cluster.ts';
import { eventually } from '../support/etherws.ts';
import { freePorts } from '../support/nats-server.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';

/* What the page about clusters says of the key of a cluster and of backups, done with the protocol that the tool `nats` speaks. */

const skip = missingTools('nats-server');
const STREAM = 'KV_etherws_sizes_config';
const BUCKET = 'etherws_sizes_config';
/** A key of the table, as it is written at NATS: `.` is `=2E`. */
const KEY = 'cluster=2Ekey';

async function open(t: TestContext): Promise<{ cluster: RealCluster; connection: NatsConnection; config: KV }> {
  const cluster = await RealCluster.start(2);
  t.after(() => cluster.end());
  const connection = await connect({ servers: cluster.store.url });
  t.after(() => connection.close());
  return { cluster, connection, config: await new Kvm(jetstream(connection)).open(BUCKET) };
}

async function keyIn(config: KV): Promise<string | undefined> {
  const entry = await config.get(KEY);
  return entry?.operation === 'PUT' ? entry.json<{ key: string }>().key : undefined;
}

test('a key that is written into the store is the one of new tunnels at once; a removed one is given back', {
  skip,
}, async (t) => {
  const { cluster, config } = await open(t);
  const former = await keyIn(config);
  assert.ok(former !== undefined);
  await config.delete(KEY);
  await eventually(
    () => keyIn(config),
    (key) => key === former,
  );

  const key = randomBytes(32).toString('base64url');
  await config.put(KEY, JSON.stringify({ key }));
  // A node that starts now knows the new key only.
  const [tunnelPort = 0, controlPort = 0] = await freePorts(2);
  const late = new NodeProcess('late', [tunnelPort, controlPort], cluster.store.url, []);
  t.after(() => late.end());
  await eventually(
    () =>
      late.dial().then(
        () => true,
        () => false,
      ),
    Boolean,
    60_000,
  );
  await eventually(
    async () => (await late.meshPorts()).filter(({ state }) => state === 'up').length,
    (up) => up === 2,
    60_000,
  );
  // Tunnels that stand stay.
  for (const node of cluster.nodes) {
    const states = (await node.meshPorts()).map(({ state }) => state);
    assert.deepEqual(states, ['up', 'up']);
  }
  assert.equal(await keyIn(config), key);
});

test('a backup of the configuration is restored while nodes run, when what they have made anew is removed', {
  skip,
}, async (t) => {
  const { cluster, connection, config } = await open(t);
  const [first] = cluster.nodes;
  assert.ok(first !== undefined);
  await first.call('addClusterNet', { network: 'office', ageout: 300 });
  const key = await keyIn(config);

  const chunks: Uint8Array[] = [];
  const inbox = createInbox();
  let isComplete = false;
  const subscription = connection.subscribe(inbox, {
    callback: (_error, message) => {
      if (message.data.length === 0) isComplete = true;
      else chunks.push(message.data);
      message.respond();
    },
  });
  const snapshot = await connection.request(
    `$JS.API.STREAM.SNAPSHOT.${STREAM}`,
    JSON.stringify({ deliver_subject: inbox, no_consumers: true, chunk_size: 65_536 }),
  );
  const { config: stream, state } = snapshot.json<{ config: object; state: object }>();
  await until(() => isComplete);
  subscription.unsubscribe();

  await cluster.store.kill();
  cluster.store.removeData();
  await cluster.store.restart();
  const manager = await eventually(
    () => jetstreamManager(connection).catch(() => undefined),
    (found) => found !== undefined,
    60_000,
  );
  await eventually(
    () =>
      manager?.streams.info(STREAM).then(
        () => true,
        () => false,
      ) ?? Promise.resolve(false),
    Boolean,
    60_000,
  );
  // The nodes have made the bucket anew, and forward as before.
  const request = `$JS.API.STREAM.RESTORE.${STREAM}`;
  const body = JSON.stringify({ config: stream, state });
  const refused = (await connection.request(request, body)).json<{ error?: { description: string } }>();
  assert.match(refused.error?.description ?? '', /already in use/);

  await manager?.streams.delete(STREAM);
  let restore = (await connection.request(request, body)).json<{ deliver_subject?: string }>();
  for (let tries = 0; restore.deliver_subject === undefined && tries < 50; tries++) {
    await manager?.streams.delete(STREAM).catch(() => undefined);
    restore = (await connection.request(request, body)).json();
  }
  assert.ok(restore.deliver_subject !== undefined);
  for (const chunk of chunks) await connection.request(restore.deliver_subject, chunk);
  await connection.request(restore.deliver_subject, new Uint8Array());

  const restored = await new Kvm(jetstream(connection)).open(BUCKET);
  assert.equal(await keyIn(restored), key);
  // A node finds within some seconds that the bucket is another one.
  for (const [at, node] of cluster.nodes.entries()) {
    const change = (): Promise<unknown> => node.call('setClusterNet', { network: 'office', ageout: 77 + at });
    await eventually(
      () => change().then(String, String),
      (said) => !said.startsWith('Error'),
      60_000,
    );
  }
});
