import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ClusterStore, TableEntry } from '../../src/cluster/cluster-store.ts';
import { EtherwsError } from '../../src/errors.ts';
import { until, within } from './waits.ts';

/** A cluster of one kind of store, for one test. */
export interface StoreFixture {
  /** @returns the store of one more node, which is connected and whose tables are loaded */
  join(): Promise<ClusterStore>;
  /** Cuts one node off, or joins it again; resolves when its store has noticed. Absent where nothing can. */
  setConnected?(store: ClusterStore, isConnected: boolean): Promise<void>;
  /** Closes all stores, and removes what the cluster has left behind. */
  dispose(): Promise<void>;
}

const isCode = (code: string) => (error: unknown) => error instanceof EtherwsError && error.code === code;

/** The contract of src/cluster/cluster-store.ts as tests: every kind of store runs them. */
export function storeContract(
  kind: string,
  create: () => Promise<StoreFixture>,
  options: { skip?: string | false } = {},
): void {
  describe(`the contract of cluster stores, kept by ${kind}`, { skip: options.skip ?? false }, () => {
    let fixture: StoreFixture;
    let a: ClusterStore;
    let b: ClusterStore;

    beforeEach(async () => {
      fixture = await create();
      [a, b] = [await fixture.join(), await fixture.join()];
    });
    afterEach(() => fixture.dispose());

    test('a message reaches all subscribers of its subject, the sender included, later', async () => {
      const heard: string[] = [];
      for (const [name, store] of Object.entries({ a, b })) {
        store.subscribe('node', (message, subject) => heard.push(`${name} ${subject} ${JSON.stringify(message)}`));
      }
      await settle(a, b);
      a.publish('node', { node: 'r1', gone: undefined });
      a.publish('other', 1);
      assert.deepEqual(heard, [], 'publish must not call subscribers');
      await until(() => heard.length >= 2);
      await settle(a, b);
      assert.deepEqual(heard.sort(), ['a node {"node":"r1"}', 'b node {"node":"r1"}']);
    });

    test('what was published before a flush arrives, though its node ends at once', async () => {
      const heard: unknown[] = [];
      b.subscribe('last', (message) => heard.push(message));
      await settle(a, b);
      // A store with a secret believes a node that it has heard before.
      a.publish('last', 1);
      await until(() => heard.length === 1);
      a.publish('last', 2);
      await a.flush();
      await a.close();
      await until(() => heard.length === 2);
      await within(a.flush(), 'end of a flush without a connection');
    });

    test('messages of one node come in their order, also those of different subjects', async () => {
      const heard: unknown[] = [];
      b.subscribe('count.*', (message) => heard.push(message));
      await settle(a, b);
      for (let n = 0; n < 100; n++) a.publish(`count.${n % 3}`, n);
      await until(() => heard.length >= 100);
      assert.deepEqual(
        heard,
        Array.from({ length: 100 }, (_, n) => n),
      );
    });

    test('* means one word', async () => {
      const heard: string[] = [];
      b.subscribe('x.*', (_message, subject) => heard.push(subject));
      b.subscribe('*.y', (_message, subject) => heard.push(subject));
      await settle(a, b);
      for (const subject of ['x', 'x.a', 'x.a.b', 'z.y', 'end.y']) a.publish(subject, null);
      await until(() => heard.includes('end.y'));
      assert.deepEqual(heard, ['x.a', 'z.y', 'end.y']);
    });

    test('a subscription that was stopped hears nothing', async () => {
      const heard: string[] = [];
      const stop = b.subscribe('s', () => heard.push('stopped'));
      b.subscribe('s', () => heard.push('kept'));
      stop();
      await settle(a, b);
      a.publish('s', 1);
      await until(() => heard.length > 0);
      assert.deepEqual(heard, ['kept']);
    });

    test('a request is answered by the node that responds, with a result or its error', async () => {
      b.respond('call.b', async (message) => {
        if (message === 'fail')
          throw new EtherwsError('PORT_NOT_FOUND', 'There is no port 7', { hint: 'See listport' });
        if (message === 'bug') throw new TypeError('secret');
        return { got: message };
      });
      await settle(a, b);
      assert.deepEqual(await a.request('call.b', { x: 1 }, 10_000), { got: { x: 1 } });
      assert.deepEqual(await b.request('call.b', 'self', 10_000), { got: 'self' });
      await assert.rejects(a.request('call.b', 'fail', 10_000), (error: EtherwsError) => {
        assert.deepEqual(
          [error.code, error.message, error.hint],
          ['PORT_NOT_FOUND', 'There is no port 7', 'See listport'],
        );
        return true;
      });
      await assert.rejects(a.request('call.b', 'bug', 10_000), (error: EtherwsError) => {
        assert.equal(error.code, 'CLUSTER_UNAVAILABLE');
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    });

    test('an answer of several megabytes comes as a whole', async () => {
      const rows = Array.from({ length: 60_000 }, (_, n) => ({ mac: `02:00:00:00:${n}`, port: 'ä'.repeat(20) }));
      b.respond('call.b', async () => rows);
      await settle(a, b);
      assert.deepEqual(await a.request('call.b', null, 20_000), rows);
    });

    test('a request that is not answered fails: at once without an answering node, else at its deadline', async () => {
      await assert.rejects(a.request('call.none', null, 60_000), isCode('CLUSTER_TIMEOUT'));
      const stop = b.respond('call.b', () => within(new Promise(() => {}), 'answer', 1000));
      await settle(a, b);
      await assert.rejects(a.request('call.b', null, 50), isCode('CLUSTER_TIMEOUT'));
      stop();
      await settle(a, b);
      await assert.rejects(a.request('call.b', null, 60_000), isCode('CLUSTER_TIMEOUT'));
    });

    test('a value is at the node that puts it when put resolves, and at the others soon', async () => {
      const revision = await a.table('config').put('net/ä .x', { vlan: 7 });
      assert.deepEqual(a.table('config').get('net/ä .x'), { key: 'net/ä .x', value: { vlan: 7 }, revision });
      await until(() => b.table('config').get('net/ä .x') !== undefined);
      assert.deepEqual(b.table('config').get('net/ä .x'), { key: 'net/ä .x', value: { vlan: 7 }, revision });
      assert.deepEqual([...b.table('sessions').entries()], [], 'the tables are apart');
    });

    test('a watcher hears what is there, then each change, and removals as undefined', async () => {
      await a.table('sessions').put('s1', 'one');
      await until(() => b.table('sessions').get('s1') !== undefined);
      const heard: (readonly [string, unknown])[] = [];
      const stop = b.table('sessions').watch(({ key, value }: TableEntry) => heard.push([key, value]));
      assert.deepEqual(heard, [['s1', 'one']]);
      await a.table('sessions').put('s2', 'two');
      await a.table('sessions').remove('s1');
      await until(() => heard.length >= 3);
      assert.deepEqual(heard.slice(1), [
        ['s2', 'two'],
        ['s1', undefined],
      ]);
      assert.equal(b.table('sessions').get('s1'), undefined);
      assert.deepEqual(
        [...b.table('sessions').entries()].map(({ key }) => key),
        ['s2'],
      );
      stop();
      await a.table('sessions').put('s3', 3);
      await until(() => b.table('sessions').get('s3') !== undefined);
      assert.equal(heard.length, 3);
    });

    test('of two nodes that create a key, one succeeds', async () => {
      const tries = [a, b, a, b].map((store, n) => store.table('config').put('key', n, { expected: 0 }));
      const results = await Promise.allSettled(tries);
      const failed = results.filter((result) => result.status === 'rejected');
      assert.equal(failed.length, 3);
      for (const { reason } of failed) assert.ok(isCode('CLUSTER_CONFLICT')(reason), String(reason));
    });

    test('a change with an expected revision is refused after another change; a removed key can be created', async () => {
      const [ta, tb] = [a.table('config'), b.table('config')];
      const first = await ta.put('k', 1);
      const second = await tb.put('k', 2, { expected: first });
      assert.ok(second > first);
      await assert.rejects(ta.put('k', 3, { expected: first }), isCode('CLUSTER_CONFLICT'));
      await assert.rejects(ta.remove('k', { expected: first }), isCode('CLUSTER_CONFLICT'));
      await assert.rejects(ta.put('k', 3, { expected: 0 }), isCode('CLUSTER_CONFLICT'));
      await ta.remove('k', { expected: second });
      await tb.put('k', 4, { expected: 0 });
      assert.equal(tb.get('k')?.value, 4);
    });

    test('config has a history with removals, sessions have none', async () => {
      for (const name of ['config', 'sessions'] as const) {
        const table = a.table(name);
        for (const value of [1, 2]) await table.put('k', value);
        await table.remove('k');
        await table.put('k', { last: true });
      }
      const values = async (name: 'config' | 'sessions') =>
        (await b.table(name).history('k')).map(({ value }) => value ?? null);
      assert.deepEqual(await values('config'), [1, 2, null, { last: true }]);
      assert.deepEqual(await values('sessions'), [{ last: true }]);
      assert.deepEqual(await b.table('config').history('absent'), []);
    });

    test('a node that comes later gets the tables', async () => {
      await a.table('config').put('k', 1);
      await a.table('config').put('gone', 1);
      await a.table('config').remove('gone');
      const late = await fixture.join();
      await late.table('config').whenLoaded();
      assert.ok(late.table('config').isLoaded);
      assert.deepEqual(
        [...late.table('config').entries()].map(({ key, value }) => [key, value]),
        [['k', 1]],
      );
    });

    test('a node without a connection reads what it knew, is refused changes, and catches up', async (t) => {
      const cut = fixture.setConnected?.bind(fixture);
      if (cut === undefined) return t.skip('this fixture cannot cut a node off');
      const changes: boolean[] = [];
      const heard: unknown[] = [];
      b.onConnection((isConnected) => changes.push(isConnected));
      b.subscribe('s', (message) => heard.push(message));
      for (const key of ['stays', 'changes', 'goes']) await b.table('config').put(key, 1);
      await until(() => a.table('config').get('goes') !== undefined);

      await cut(b, false);
      assert.equal(b.isConnected, false);
      b.publish('s', 'lost');
      await assert.rejects(b.table('config').put('k', 1), isCode('CLUSTER_UNAVAILABLE'));
      await assert.rejects(b.table('config').remove('stays'), isCode('CLUSTER_UNAVAILABLE'));
      await assert.rejects(b.table('config').history('stays'), isCode('CLUSTER_UNAVAILABLE'));
      await assert.rejects(b.request('call.a', 1, 1000), isCode('CLUSTER_UNAVAILABLE'));
      await a.table('config').put('changes', 2);
      await a.table('config').remove('goes');
      await a.table('config').put('comes', 1);
      a.publish('s', 'missed');
      await settle(a);
      assert.equal(b.table('config').get('goes')?.value, 1);

      const seen: string[] = [];
      b.table('config').watch(({ key, value }) => seen.push(`${key}=${value}`));
      seen.length = 0;
      await cut(b, true);
      await until(() => seen.length >= 3);
      assert.deepEqual(seen.sort(), ['changes=2', 'comes=1', 'goes=undefined']);
      assert.deepEqual(changes, [false, true]);
      await until(() => {
        a.publish('s', 'heard');
        return heard.length > 0;
      });
      assert.equal(heard[0], 'heard');
    });

    test('a closed store is silent, and closing it twice is harmless', async () => {
      const heard: unknown[] = [];
      b.subscribe('s', (message) => heard.push(message));
      b.table('config').watch((entry) => heard.push(entry));
      await b.close();
      await b.close();
      assert.equal(b.isConnected, false);
      b.publish('s', 1);
      a.publish('s', 1);
      await a.table('config').put('k', 1);
      await settle(a);
      assert.deepEqual(heard, []);
      await assert.rejects(b.table('config').put('k', 2), isCode('CLUSTER_UNAVAILABLE'));
      await assert.rejects(b.request('s', 2, 1000), isCode('CLUSTER_UNAVAILABLE'));
    });
  });
}

/** Waits until what these nodes have subscribed and sent has arrived, by a message of each to itself. */
async function settle(...stores: readonly ClusterStore[]): Promise<void> {
  for (const store of stores) {
    let isBack = false;
    const stop = store.subscribe('settle', () => {
      isBack = true;
    });
    store.publish('settle', null);
    await until(() => isBack);
    stop();
  }
}
