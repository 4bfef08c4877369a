import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type StoreFixture, storeContract } from '../../../test/support/store-contract.ts';
import { until } from '../../../test/support/waits.ts';
import { EtherwsError } from '../../errors.ts';
import { SILENT } from '../../observability/logger.ts';
import type { ClusterKeys } from '../cluster-key.ts';
import type { ClusterStore } from '../cluster-store.ts';
import { MemoryHub, MemoryStore } from '../memory-store.ts';
import { AuthenticStore } from './authentic-store.ts';

const KEYS: ClusterKeys = [randomBytes(32)];

function storeAt(hub: MemoryHub, node = 'r1', keys = () => KEYS): { store: AuthenticStore; inner: MemoryStore } {
  const inner = new MemoryStore(hub);
  return { store: new AuthenticStore({ inner, node, keys, logger: SILENT }), inner };
}

async function fixture(): Promise<StoreFixture> {
  const hub = new MemoryHub();
  const inners = new Map<ClusterStore, MemoryStore>();
  return {
    join: async () => {
      const { store, inner } = storeAt(hub, `r${inners.size}`);
      inners.set(store, inner);
      await store.table('config').whenLoaded();
      return store;
    },
    setConnected: async (store, isConnected) => inners.get(store)?.setConnected(isConnected),
    dispose: async () => {
      for (const store of inners.keys()) await store.close();
    },
  };
}

storeContract('the store with a secret', fixture);

/** Two nodes with the secret, and a program in the same account without it, which records all. */
function attacked(t: TestContext) {
  const hub = new MemoryHub();
  const [one, two] = [storeAt(hub, 'r1').store, storeAt(hub, 'r2').store];
  const attacker = new MemoryStore(hub);
  const recorded: { subject: string; message: unknown }[] = [];
  for (const pattern of ['*', '*.*']) {
    attacker.subscribe(pattern, (message, subject) => recorded.push({ subject, message }));
  }
  t.after(() => Promise.all([one.close(), two.close(), attacker.close()]));
  return { hub, one, two, attacker, recorded };
}

/** Resolves when what was sent before has come. */
async function settled(from: ClusterStore, at: ClusterStore): Promise<void> {
  let hasCome = false;
  const stop = at.subscribe('settled', () => {
    hasCome = true;
  });
  from.publish('settled', {});
  await until(() => hasCome);
  stop();
}

test('a message without the code, with a changed part, or of another subject is not told', async (t) => {
  const { one, two, attacker, recorded } = attacked(t);
  const heard: unknown[] = [];
  two.subscribe('node', (message) => heard.push(message));
  one.publish('node', { node: 'r1' });
  await until(() => heard.length === 1 && recorded.length === 1);
  const good = recorded[0]?.message as Record<string, unknown>;
  const text = JSON.stringify({ node: 'evil' });
  const forged: unknown[] = [{ node: 'evil' }, null, 7, 'x', [], {}, { ...good, text }, { ...good, mac: '' }];
  for (const change of [{ from: 'r2' }, { start: 'other' }, { number: 99 }, { number: 1.5 }, { mac: null }]) {
    forged.push({ ...good, ...change });
  }
  for (const message of forged) attacker.publish('node', message);
  one.publish('other', { node: 'evil' });
  await until(() => recorded.length === forged.length + 2);
  attacker.publish('node', recorded.at(-1)?.message);
  await settled(one, two);
  assert.deepEqual(heard, [{ node: 'r1' }]);
  assert.ok(two.refused > forged.length);
});

test('a message is told once, and one of a node that has ended never', async (t) => {
  const { hub, one, two, attacker, recorded } = attacked(t);
  const ended = storeAt(hub, 'r3').store;
  const heard: unknown[] = [];
  two.subscribe('node', (message) => heard.push(message));
  ended.publish('node', { node: 'r3' });
  one.publish('node', { node: 'r1' });
  await until(() => heard.length === 2);
  await ended.close();
  const replayed = recorded.map(({ message }) => message);
  for (const message of replayed) attacker.publish('node', message);
  await settled(one, two);
  assert.equal(heard.length, 2, 'replayed');

  const late = storeAt(hub, 'r4').store;
  t.after(() => late.close());
  const heardLate: unknown[] = [];
  late.subscribe('node', (message) => heardLate.push(message));
  for (const message of replayed) attacker.publish('node', message);
  await settled(one, late);
  assert.deepEqual(
    heardLate.filter((message) => (message as { node: string }).node === 'r3'),
    [],
    'to a node that has started since',
  );
});

test('a request is run once, for a node with the secret only, and an answer is one to it', async (t) => {
  const { hub, one, two, attacker } = attacked(t);
  const ran: unknown[] = [];
  two.respond('call.r2', async (message) => {
    ran.push(message);
    if (message === 'fail') throw new EtherwsError('PORT_NOT_FOUND', 'There is no port 7');
    return { ran: message };
  });
  const spy = new MemoryStore(hub);
  t.after(() => spy.close());
  let recorded: unknown;
  const stop = spy.respond('call.spied', async (message) => {
    recorded = message;
    throw new EtherwsError('PORT_NOT_FOUND', 'a lie');
  });
  assert.deepEqual(await one.request('call.r2', 'delPort', 1000), { ran: 'delPort' });
  await assert.rejects(one.request('call.r2', 'fail', 1000), { code: 'PORT_NOT_FOUND', message: /port 7/ });
  await assert.rejects(attacker.request('call.r2', 'delPort', 1000), { code: 'CLUSTER_NODE_UNPROVEN' });
  await assert.rejects(one.request('call.spied', 'delPort', 1000), { code: 'CLUSTER_NODE_UNPROVEN' });
  stop();
  await assert.rejects(attacker.request('call.r2', recorded, 1000), { code: 'CLUSTER_NODE_UNPROVEN' });
  assert.equal(ran.length, 2);

  // A request that a program has taken from its way, and passes on twice.
  let asked: unknown;
  let answered: unknown = { from: 'r9', start: 'x', number: 1, text: '{"result":"lie"}', mac: '' };
  const stopTaking = spy.respond('call.r9', async (message) => {
    asked = message;
    return answered;
  });
  await assert.rejects(one.request('call.r9', 'delPort', 1000), { code: 'CLUSTER_NODE_UNPROVEN' });
  answered = asked;
  await assert.rejects(one.request('call.r9', 'delPort', 1000), { code: 'CLUSTER_NODE_UNPROVEN' }, 'reflected');
  stopTaking();
  two.respond('call.r9', async (message) => {
    ran.push(message);
  });
  await attacker.request('call.r9', asked, 1000);
  await assert.rejects(attacker.request('call.r9', asked, 1000), { code: 'CLUSTER_NODE_UNPROVEN' });
  assert.equal(ran.length, 3);
});

test('a value without the code, an older one and a removal are refused, and what the nodes know is written again', async (t) => {
  const { hub, one, two, attacker } = attacked(t);
  const [mine, theirs, store] = [one, two, attacker].map((each) => each.table('config'));
  assert.ok(mine && theirs && store);
  await mine.put('policy', { text: 'former' });
  await until(() => store.get('policy') !== undefined);
  const former = store.get('policy')?.value;
  await mine.put('network.x', { settings: {} });
  await mine.put('policy', { text: 'strict' });
  await until(() => theirs.get('policy')?.revision === 3);
  const told: unknown[] = [];
  theirs.watch(({ key, value }) => key === 'policy' && told.push(value));
  const strict = store.get('policy')?.value;
  for (const forged of [{ text: 'open' }, former, store.get('network.x')?.value, undefined]) {
    const revision = store.get('policy')?.revision ?? 0;
    if (forged === undefined) await store.remove('policy');
    else await store.put('policy', forged);
    assert.deepEqual(theirs.get('policy')?.value, { text: 'strict' });
    await until(() => {
      const now = store.get('policy');
      return (now?.revision ?? 0) > revision + 1 && JSON.stringify(now?.value) === JSON.stringify(strict);
    });
  }
  assert.deepEqual([...new Set(told.map((value) => JSON.stringify(value)))], ['{"text":"strict"}']);
  const { store: fresh } = storeAt(hub, 'r5');
  t.after(() => fresh.close());
  await fresh.table('config').whenLoaded();
  assert.deepEqual(fresh.table('config').get('policy')?.value, { text: 'strict' });
  // Something that no node has written hinders no change.
  await store.put('network.y', 'garbage');
  await until(() => theirs.get('network.y') === undefined && two.refused > 0);
  await theirs.put('network.y', { settings: { a: 1 } }, { expected: 0 });
  await until(() => mine.get('network.y') !== undefined);
  assert.equal((await mine.history('network.y')).length, 1);
});

test('a row of a session without the code counts as absent', async (t) => {
  const { one, two, attacker } = attacked(t);
  const rows = two.table('sessions');
  await one.table('sessions').put('a', { node: 'r1' });
  await until(() => rows.get('a') !== undefined);
  const row = attacker.table('sessions').get('a')?.value;
  await attacker.table('sessions').put('b', row);
  await attacker.table('sessions').put('a', { node: 'evil' });
  await settled(one, two);
  await until(() => rows.get('a') === undefined);
  assert.deepEqual([...rows.entries()], []);
});

test('the secret is changed by two keys, node after node, while all hear each other and no value is lost', async (t) => {
  const hub = new MemoryHub();
  const [old, next] = [randomBytes(32), randomBytes(32)];
  const keys: ClusterKeys[] = [[old], [old]];
  const nodes = [0, 1].map((index) => storeAt(hub, `r${index}`, () => keys[index] ?? []));
  t.after(() => Promise.all(nodes.map(({ store }) => store.close())));
  const [one, two] = nodes.map(({ store }) => store);
  assert.ok(one && two);
  await one.table('config').put('policy', { text: 'x' });
  await one.table('sessions').put('s', { node: 'r0' });
  for (const step of [[old, next], [next, old], [next]]) {
    for (const index of [0, 1]) {
      keys[index] = step;
      nodes[index]?.store.keysChanged();
      for (const [from, to] of [
        [one, two],
        [two, one],
      ] as const) {
        await settled(from, to);
      }
      // As an operator waits: until the values are signed anew.
      if (step[0] === next) {
        const { store: reader } = storeAt(hub, 'reader', () => [next]);
        t.after(() => reader.close());
        await until(() => reader.table('config').get('policy') !== undefined);
        await until(() => index === 1 || reader.table('sessions').get('s') !== undefined);
      }
    }
  }
  assert.deepEqual(two.table('config').get('policy')?.value, { text: 'x' });
  assert.deepEqual(two.table('sessions').get('s')?.value, { node: 'r0' });
});
