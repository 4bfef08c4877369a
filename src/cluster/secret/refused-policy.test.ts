import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { until } from '../../../test/support/waits.ts';
import { SharedControl } from '../../control/nodes/shared-control.ts';
import { SILENT } from '../../observability/logger.ts';
import type { ClusterKeys } from '../cluster-key.ts';
import { MemoryHub, MemoryStore } from '../memory-store.ts';
import { SharedConfig } from '../shared-config.ts';
import { AuthenticStore } from './authentic-store.ts';

const KEYS: ClusterKeys = [randomBytes(32)];
const STRICT = { text: 'strict', by: 'ann', at: '2026-11-30T09:00:00.000Z' };

function cluster(t: TestContext) {
  const hub = new MemoryHub();
  const attacker = new MemoryStore(hub);
  const nodes = new Map<string, AuthenticStore>();
  t.after(() => Promise.all([...nodes.values(), attacker].map((store) => store.close())));
  const open = async (node: string): Promise<AuthenticStore> => {
    const store = new AuthenticStore({ inner: new MemoryStore(hub), node, keys: () => KEYS, logger: SILENT });
    nodes.set(node, store);
    await store.table('config').whenLoaded();
    return store;
  };
  /** @returns the policy that is in force when the node admits clients */
  const start = async (node: string): Promise<string | undefined> => {
    const store = await open(node);
    const receiver = { network: () => undefined, policy: () => undefined };
    const config = new SharedConfig({ store, logger: SILENT, kept: undefined, receiver });
    t.after(() => config.close());
    await config.ready(1000);
    return config.policy()?.policy.text;
  };
  return { hub, store: attacker.table('config'), attacker, open, start };
}

function control(store: AuthenticStore): SharedControl {
  const rightsBy = () => ({ mayCall: () => true, networksOf: () => undefined });
  return new SharedControl({ store, checkNetwork: () => undefined, checkPolicy: async () => undefined, rightsBy });
}

test('a node does not start with a policy that no node has written, and lets no user change it', async (t) => {
  const { store, open, start } = cluster(t);
  assert.equal(await start('r1'), undefined, 'a cluster without a policy');
  await store.put('policy', { text: 'open' });
  await assert.rejects(start('r2'), { code: 'CLUSTER_NODE_UNPROVEN', message: /"policy" without a code/ });
  const shared = control(await open('r3'));
  for (const by of ['eve', null]) {
    await assert.rejects(shared.setPolicy({ text: 'mine' }, by), { code: 'CLUSTER_NODE_UNPROVEN' });
  }
  await store.remove('policy');
  await until(() => store.get('policy') === undefined);
  assert.equal((await shared.setPolicy({ text: 'mine' }, 'ann')).text, 'mine');
});

test('a node that starts has the policy that the others know, whatever the store has in its place', async (t) => {
  const { store, open, start } = cluster(t);
  const one = await open('r1');
  await one.table('config').put('policy', STRICT);
  await until(() => store.get('policy') !== undefined);
  await store.put('policy', { text: 'open' });
  assert.equal(await start('r2'), 'strict');
  await store.remove('policy');
  assert.equal(await start('r3'), 'strict');
  await until(() => (store.get('policy')?.value as { mac?: string } | undefined)?.mac !== undefined);
});

test('without another node it has the last one of the history', async (t) => {
  const { store, open, start } = cluster(t);
  const one = await open('r1');
  await one.table('config').put('policy', { ...STRICT, text: 'former' });
  await one.table('config').put('policy', STRICT);
  await one.close();
  await store.put('policy', 'garbage');
  assert.equal(await start('r2'), 'strict');
});

test('a program that answers for the nodes does not get a node to start without the policy', async (t) => {
  const { attacker, start } = cluster(t);
  attacker.respond('value.policy', async () => null);
  await assert.rejects(start('r1'), { code: 'CLUSTER_NODE_UNPROVEN', message: /has not told it/ });
});
