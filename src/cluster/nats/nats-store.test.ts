import assert from 'node:assert/strict';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { NatsServer, startNatsCluster } from '../../../test/support/nats-server.ts';
import { type StoreFixture, storeContract } from '../../../test/support/store-contract.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { once, until, within } from '../../../test/support/waits.ts';
import type { ClusterStore } from '../cluster-store.ts';
import { NatsStore } from './nats-store.ts';

const skip = missingTools('nats-server');

let clusters = 0;

/** A TCP relay that can be cut: the way of one node to its server. */
class Way {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => this.#carry(near));
  #isOpen = true;
  readonly #farPort: number;

  constructor(farPort: number) {
    this.#farPort = farPort;
  }

  listen(): Promise<number> {
    const listening = once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return listening.then(() => (this.#server.address() as { port: number }).port);
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    if (!isOpen) for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.isOpen = false;
    this.#server.close();
  }

  #carry(near: Socket): void {
    if (!this.#isOpen) {
      near.destroy();
      return;
    }
    const far = connectTcp(this.#farPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from
        .on('error', () => to.destroy())
        .on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  }
}

async function fixtureOf(servers: readonly NatsServer[]): Promise<StoreFixture> {
  const cluster = `test${++clusters}`;
  const ways = new Map<ClusterStore, Way>();
  return {
    join: async () => {
      const server = servers[ways.size % servers.length] as NatsServer;
      const way = new Way(server.port);
      const shown = `nats://127.0.0.1:${await way.listen()}`;
      const store = new NatsStore({ cluster, shown, connection: { servers: shown, ignoreClusterUpdates: true } });
      ways.set(store, way);
      for (const name of ['config', 'sessions'] as const) {
        await within(store.table(name).whenLoaded(), () => `table ${name}: ${store.fault?.message} ${store.reason}`);
      }
      return store;
    },
    setConnected: async (store, isConnected) => {
      const way = ways.get(store);
      if (way !== undefined) way.isOpen = isConnected;
      await until(() => store.isConnected === isConnected);
    },
    dispose: async () => {
      for (const [store, way] of ways) {
        await store.close();
        way.close();
      }
    },
  };
}

describe('one server', { skip }, () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start();
  });
  after(() => server.end());
  storeContract('the store at a NATS server', () => fixtureOf([server]));
});

describe('three servers', { skip }, () => {
  let servers: NatsServer[] = [];
  before(async () => {
    servers = await startNatsCluster();
  });
  after(async () => {
    for (const server of servers) await server.end();
  });
  storeContract('the store at a cluster of three NATS servers', () => fixtureOf(servers));
});

function storeAt(server: NatsServer, url = server.url): NatsStore {
  return new NatsStore({ cluster: 'c', shown: server.url, connection: { servers: url } });
}

test('a server without JetStream is a fault that names the line to add', { skip }, async (t) => {
  const server = await NatsServer.start({ hasJetStream: false });
  t.after(() => server.end());
  const store = storeAt(server);
  t.after(() => store.close());
  await until(() => store.fault !== undefined);
  assert.equal(store.fault?.code, 'CLUSTER_STORE_UNUSABLE');
  assert.match(store.fault.hint ?? '', /jetstream \{ store_dir: \/var\/lib\/nats \}.*nats-server\.conf/);
  assert.equal(store.table('config').isLoaded, false);
});

test('refused credentials are a fault without the password', { skip }, async (t) => {
  const server = await NatsServer.start({ lines: ['authorization { user: "etherws", password: "right" }'] });
  t.after(() => server.end());
  const right = new NatsStore({
    cluster: 'c',
    shown: server.url,
    connection: { servers: server.url, user: 'etherws', pass: 'right' },
  });
  t.after(() => right.close());
  await within(right.table('sessions').whenLoaded(), 'tables');
  const wrong = new NatsStore({
    cluster: 'c',
    shown: server.url,
    connection: { servers: server.url, user: 'etherws', pass: 'secret' },
  });
  t.after(() => wrong.close());
  await until(() => wrong.fault !== undefined);
  assert.match(wrong.fault?.message ?? '', /refuses the credentials/);
  assert.doesNotMatch(`${wrong.fault?.message} ${wrong.fault?.hint} ${wrong.reason}`, /secret/);
});

test('a store that starts before its server waits for it, and one whose server is restarted keeps its tables', {
  skip,
}, async (t) => {
  const first = await NatsServer.start();
  t.after(() => first.end());
  await first.kill();
  const store = storeAt(first);
  t.after(() => store.close());
  await until(() => store.reason !== undefined);
  assert.equal(store.isConnected, false);
  await first.restart();
  await within(store.table('sessions').whenLoaded(), 'tables after the start of the server');
  await store.table('config').put('k', 1);
  await first.kill();
  await until(() => !store.isConnected);
  assert.equal(store.table('config').get('k')?.value, 1);
  await first.restart();
  await until(() => store.isConnected);
  for (let isChanged = false; !isChanged; await turn()) {
    isChanged = await store
      .table('config')
      .put('k', 2)
      .then(
        () => true,
        () => false,
      );
  }
  assert.equal(store.table('config').get('k')?.value, 2);
});

test('a store is closed while its server ends', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const store = storeAt(server);
  t.after(() => store.close());
  await within(store.table('sessions').whenLoaded(), 'tables');
  // The library dials again at once where the connection is older than its pause, and fails what waits for an answer.
  await pause(1000);
  // The server neither answers nor closes yet: the farewell is on its way when the connection breaks.
  server.signal('SIGSTOP');
  const closed = store.close();
  server.signal('SIGKILL');
  await within(closed, 'end of the store');
});

test('a store that is closed while it reads leaves no timer that keeps the process alive', { skip }, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.end());
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  for (let round = 0; round < 60; round++) {
    const store = storeAt(server);
    await until(() => store.isConnected);
    for (let wait = 0; wait < round % 12; wait++) await turn();
    await within(store.close(), 'end of the store');
  }
  assert.ok(timers() <= before, `${timers()} timers, ${before} before`);
});

test('messages above the limit of the server are lost, and answers come in parts below it', { skip }, async (t) => {
  const server = await NatsServer.start({ lines: ['max_payload: 65536'] });
  t.after(() => server.end());
  const store = storeAt(server);
  t.after(() => store.close());
  await within(store.table('sessions').whenLoaded(), 'tables');
  const long = 'x'.repeat(300_000);
  store.publish('news', long);
  const stop = store.respond('long', async () => long);
  await within(
    (async () => {
      assert.equal(await store.request('long', 1, 30_000), long);
    })(),
    'answer',
  );
  await assert.rejects(store.request('long', long, 30_000), { code: 'CLUSTER_UNAVAILABLE' });
  stop();
});
