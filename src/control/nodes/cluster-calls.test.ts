import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { once } from '../../../test/support/waits.ts';
import { MemoryHub, MemoryStore } from '../../cluster/memory-store.ts';
import { EtherwsError } from '../../errors.ts';
import { SILENT } from '../../observability/logger.ts';
import type { ClusterCaller } from '../cluster-entries.ts';
import type { AllowedNetworks } from '../method-reach.ts';
import { ClusterCalls, type OwnRights, type RunHere } from './cluster-calls.ts';

const ALL_RIGHTS: OwnRights = { mayCall: () => true, networksOf: () => undefined };
const ROOT: ClusterCaller = { user: null, allowed: undefined, mayCall: () => true };

interface Node {
  readonly calls: ClusterCalls;
  readonly store: MemoryStore;
  /** what it was asked to run, and for which networks */
  readonly ran: [string, object, AllowedNetworks][];
}

/** Nodes at one hub, which answer an entry with their name. */
function cluster(
  names: readonly string[],
  options: { known?: readonly string[]; run?: RunHere; rights?: Readonly<Record<string, OwnRights>> } = {},
): Map<string, Node> {
  const hub = new MemoryHub();
  const made = names.map((node): [string, Node] => {
    const ran: [string, object, AllowedNetworks][] = [];
    const store = new MemoryStore(hub);
    const run: RunHere = async (...call) => {
      ran.push(call);
      return options.run === undefined ? [{ from: node }] : options.run(...call);
    };
    const calls = new ClusterCalls({
      ...{ store, node, run, logger: SILENT, patienceMs: 50 },
      nodes: () => options.known ?? names,
      rights: options.rights?.[node] ?? ALL_RIGHTS,
    });
    return [node, { calls, store, ran }];
  });
  return new Map(made);
}

test('any node tells the answers of all, in the order of their names', async () => {
  const nodes = cluster(['r3', 'r1', 'r2']);
  for (const { calls } of nodes.values()) {
    assert.deepEqual(await calls.call({ method: 'listPort' }, ROOT), [
      { node: 'r1', entries: [{ from: 'r1' }], error: null },
      { node: 'r2', entries: [{ from: 'r2' }], error: null },
      { node: 'r3', entries: [{ from: 'r3' }], error: null },
    ]);
  }
});

test('one node can be asked alone, as for a port of it', async () => {
  const nodes = cluster(['r1', 'r2']);
  const answers = await nodes.get('r1')?.calls.call({ method: 'delPort', params: { port: 7 }, node: 'r2' }, ROOT);
  assert.deepEqual(answers, [{ node: 'r2', entries: [{ from: 'r2' }], error: null }]);
  assert.deepEqual(nodes.get('r2')?.ran, [['delPort', { port: 7 }, undefined]]);
  assert.deepEqual(nodes.get('r1')?.ran, []);
  const everywhere = nodes.get('r1')?.calls.call({ method: 'delPort', params: { port: 7 } }, ROOT);
  await assert.rejects(everywhere ?? Promise.resolve(), { code: 'ARGUMENT_INVALID' });
});

test('a node that is gone, and one that fails, are answers with an error', async () => {
  const run: RunHere = async () => {
    throw new EtherwsError('NETWORK_NOT_FOUND', 'There is no network "lab"', { hint: 'addnet adds one' });
  };
  const nodes = cluster(['r1', 'r2'], { known: ['r1', 'r2', 'r3'], run });
  nodes.get('r2')?.store.setConnected(false);
  const answers = (await nodes.get('r1')?.calls.call({ method: 'listPort' }, ROOT)) ?? [];
  assert.equal(answers[0]?.error, 'NETWORK_NOT_FOUND: There is no network "lab". addnet adds one');
  assert.match(answers[1]?.error ?? '', /^CLUSTER_(TIMEOUT|UNAVAILABLE): /);
  assert.match(answers[2]?.error ?? '', /^CLUSTER_(TIMEOUT|UNAVAILABLE): /);
});

test('a node that does not answer costs a bounded time, and is said', async () => {
  const nodes = cluster(['r1', 'r2'], { run: () => once(new EventEmitter(), 'never', { waitMs: 500 }) });
  const answers = (await nodes.get('r1')?.calls.call({ method: 'listPort', node: 'r2' }, ROOT)) ?? [];
  assert.match(answers[0]?.error ?? '', /^CLUSTER_TIMEOUT: The node did not answer within 0\.05 s/);
});

test('an answer of several messages comes whole, and nothing of it is left', async () => {
  const entries = Array.from({ length: 50_000 }, (_, port) => ({ port, name: '“é”\ud83d\ude00'.repeat(3) }));
  const nodes = cluster(['r1', 'r2'], { run: async () => entries });
  for (let times = 0; times < 6; times++) {
    const [answer] = (await nodes.get('r1')?.calls.call({ method: 'listPort', node: 'r2' }, ROOT)) ?? [];
    assert.equal(answer?.error, null);
    assert.deepEqual(answer?.entries, entries);
  }
  for (const { calls } of nodes.values()) calls.close();
});

test('the rights of the caller are checked where it asks, and go with the call', async () => {
  const nodes = cluster(['r1', 'r2']);
  const ann: ClusterCaller = { user: 'ann', allowed: ['lab'], mayCall: (method) => method !== 'listFdb' };
  const call = (method: 'listPort' | 'listFdb' | 'getStatus', params = {}) =>
    nodes.get('r1')?.calls.call({ method, params }, ann) ?? Promise.reject(new Error('no node'));
  await call('listPort');
  assert.deepEqual(nodes.get('r1')?.ran, [['listPort', {}, ['lab']]]);
  assert.deepEqual(nodes.get('r2')?.ran, [['listPort', {}, ['lab']]]);
  await assert.rejects(call('listFdb'), { code: 'METHOD_FORBIDDEN' });
  await assert.rejects(call('getStatus'), { code: 'METHOD_FORBIDDEN' }, 'it is about the whole switch');
  await assert.rejects(call('listPort', { network: 'home' }), { code: 'METHOD_FORBIDDEN' });
  assert.equal(nodes.get('r2')?.ran.length, 1);
});

test('a node tells no more than its own policy allows, too', async () => {
  const rights: OwnRights = {
    mayCall: (user, method) => user !== 'ann' || method === 'listPort',
    networksOf: () => ['lab', 'yard'],
  };
  const nodes = cluster(['r1', 'r2'], { rights: { r2: rights } });
  const r1 = nodes.get('r1');
  const ann: ClusterCaller = { user: 'ann', allowed: ['lab', 'home'], mayCall: () => true };
  await r1?.calls.call({ method: 'listPort', node: 'r2' }, ann);
  await r1?.calls.call({ method: 'listPort', node: 'r2' }, { ...ann, allowed: undefined });
  const [refused] = (await r1?.calls.call({ method: 'listFdb', node: 'r2' }, ann)) ?? [];
  assert.match(refused?.error ?? '', /^METHOD_FORBIDDEN: The user ann may not call listFdb/);
  assert.deepEqual(
    nodes.get('r2')?.ran.map(([, , networks]) => networks),
    [['lab'], ['lab', 'yard']],
  );
});

test('wrong parameters are refused before a node is asked', async () => {
  const nodes = cluster(['r1', 'r2']);
  const call = nodes.get('r1')?.calls.call({ method: 'listPort', params: { netwrok: 'lab' } }, ROOT);
  await assert.rejects(call ?? Promise.resolve(), /Unknown parameter "netwrok"/);
  assert.equal(nodes.get('r2')?.ran.length, 0);
});
