import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import { CLUSTER_CALLS } from '../../src/control/cluster-entries.ts';
import { METHODS, type StatusEntry } from '../../src/control/schema.ts';
import { eventually } from '../support/etherws.ts';
import { call } from '../support/http.ts';
import { NatsServer } from '../support/nats-server.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

/** A user that manages one network tries to see and change others by another node of the cluster. */

const directory = mkdtempSync(join(tmpdir(), 'etherws-cluster-rights-'));
after(() => rmSync(directory, { recursive: true }));
const users = join(directory, 'users');
writeFileSync(users, ['root', 'tutor', 'guest'].map((user) => `${user}:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n`).join(''));

function as(user: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:hello`).toString('base64')}` };
}

const EVERY = Object.keys(METHODS);
const POLICY = `
users:
  root: {control: {methods: [all, setClusterPolicy, rollbackCluster]}}
  tutor: {control: {methods: [${EVERY.join(', ')}], networks: [lab]}}
  guest: {control: {methods: [callCluster, listPort]}}
`;

test('no other node tells or changes anything beyond the networks of a user', {
  skip: missingTools('nats-server'),
}, async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const start = (node: string): Promise<SwitchProcess> =>
    SwitchProcess.start(t, ['--cluster', nats.url, '--node', node, '--ctlhtpasswd', users], as('root'));
  const [one, two] = [await start('r1'), await start('r2')];
  for (const network of ['home', 'lab']) await one.call('addClusterNet', { network });
  await one.call('setClusterPolicy', { text: POLICY });
  await eventually(
    async () => JSON.stringify(await two.call('listNet')),
    (text) => text.includes('home') && text.includes('lab'),
  );
  const port = { type: 'client', target: 'ws://127.0.0.1:9/secret', options: { wait: false } };
  await two.call('addPort', { ...port, network: 'home', name: 'hidden' });
  await two.call('addPort', { ...port, target: 'ws://127.0.0.1:9/mine', network: 'lab', name: 'mine' });
  await eventually(
    async () => (await one.call<{ entries: StatusEntry[] }>('getStatus')).entries[0]?.cluster?.members.length,
    (count) => count === 2,
  );
  const ask = async (user: string, method: string, params: object): Promise<string> =>
    (await call({ port: one.controlPort, headers: as(user) }, method, params)).body;

  const listed = await ask('tutor', 'callCluster', { method: 'listPort' });
  assert.match(listed, /"mine"/, 'its own network is told by the other node');
  for (const method of CLUSTER_CALLS) {
    for (const params of [{}, { network: 'home' }, { port: 'hidden' }, { port: 1, shut: true }]) {
      for (const node of [{}, { node: 'r2' }]) {
        const answer = await ask('tutor', 'callCluster', { method, params, ...node });
        const told = answer.replaceAll(/reaches the network .{1,3}home|no port .{1,3}hidden/g, '');
        assert.doesNotMatch(told, /hidden|secret|home|"shut":true/, `${method} ${JSON.stringify(params)}`);
      }
    }
  }
  await noStreamBeyond(t, one, two);
  for (const [method, params] of [
    ['addClusterNet', { network: 'other' }],
    ['setClusterNet', { network: 'home', ageout: 1 }],
    ['delClusterNet', { network: 'home' }],
    ['getClusterPolicy', {}],
    ['setClusterPolicy', { text: '' }],
    ['listClusterHistory', {}],
    ['rollbackCluster', { key: 'network.home', revision: 1 }],
  ] as const) {
    assert.match(await ask('tutor', method, params), /"METHOD_FORBIDDEN: /, method);
  }
  assert.match(await ask('guest', 'callCluster', { method: 'listPort' }), /"hidden"/, 'all networks, one method');
  assert.match(
    await ask('guest', 'callCluster', { method: 'delPort', params: { port: 1 }, node: 'r2' }),
    /METHOD_FORBIDDEN/,
  );
  const hidden = (await two.ports()).find(({ name }) => name === 'hidden');
  assert.deepEqual([hidden?.shut, hidden?.network], [false, 'home'], 'nothing has changed');
});

test('a node with a policy of its own changes nothing for a user that the policy of the cluster does not let change it', {
  skip: missingTools('nats-server'),
}, async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const own = join(directory, 'policy.yaml');
  const everything = `{methods: [${EVERY.join(', ')}]}`;
  writeFileSync(own, `users:\n  tutor: {control: ${everything}}\n  root: {control: ${everything}}\n`);
  const start = (node: string, ...options: string[]): Promise<SwitchProcess> =>
    SwitchProcess.start(t, ['--cluster', nats.url, '--node', node, '--ctlhtpasswd', users, ...options], as('root'));
  const [one, two] = [await start('r1'), await start('r2', '--policy', own)];
  for (const network of ['home', 'lab']) await one.call('addClusterNet', { network });
  await one.call('setClusterPolicy', { text: POLICY });
  const ask = async (method: string, params: object): Promise<string> =>
    (await call({ port: two.controlPort, headers: as('tutor') }, method, params)).body;
  await eventually(
    () => ask('getClusterPolicy', {}),
    (answer) => answer.includes('tutor'),
  );
  for (const [method, params] of [
    ['addClusterNet', { network: 'other' }],
    ['setClusterNet', { network: 'home', ageout: 1 }],
    ['delClusterNet', { network: 'home' }],
    ['setClusterPolicy', { text: 'default: {}' }],
    ['rollbackCluster', { key: 'network.home', revision: 1 }],
  ] as const) {
    assert.match(await ask(method, params), /"METHOD_FORBIDDEN: /, method);
  }
  assert.match(await ask('setClusterNet', { network: 'lab', ageout: 77 }), /"ageout":77/, 'its own network');
});

/** Captures and events of the other node have what is in the user's networks, and nothing else. */
async function noStreamBeyond(t: TestContext, one: SwitchProcess, two: SwitchProcess): Promise<void> {
  const clientOf = (user: string): ControlClient =>
    new ControlClient({ url: `http://127.0.0.1:${one.controlPort}/ctl`, user, passwd: 'hello' });
  const quiet = { notified: () => undefined, octets: () => undefined, ended: () => undefined };
  const capture = (user: string, params: object): Promise<{ end(): void; readonly result: unknown }> =>
    clientOf(user).capture('captureCluster', params, quiet);
  const hidden = (await two.ports()).find(({ name }) => name === 'hidden')?.port;
  const attempts = [
    { ports: ['r2/hidden'] },
    { ports: [`r2/${hidden}`] },
    { ports: ['r2/mine', 'r2/hidden'] },
    { network: 'home' },
  ];
  for (const params of attempts) {
    for (const user of ['tutor', 'guest', 'root']) {
      // `all` has no captures, so root may not look either.
      const refused = user === 'tutor' ? /METHOD_FORBIDDEN: |PORT_NOT_FOUND: / : /METHOD_FORBIDDEN: /;
      await assert.rejects(capture(user, params), (error: { data?: string }) => refused.test(error.data ?? ''));
    }
  }
  for (const params of [{ ports: ['r2/mine'] }, { network: 'lab' }]) {
    const stream = await capture('tutor', params);
    t.after(() => stream.end());
    assert.match(JSON.stringify(stream.result), /"portName":"mine"/);
    assert.doesNotMatch(JSON.stringify(stream.result), /hidden/);
  }
  const heard: Record<'root' | 'tutor', string> = { root: '', tutor: '' };
  for (const user of ['root', 'tutor'] as const) {
    const end = await clientOf(user).watch(
      {},
      (event) => {
        heard[user] += JSON.stringify(event);
      },
      () => undefined,
      'subscribeCluster',
    );
    t.after(end);
  }
  await assert.rejects(
    clientOf('guest').watch(
      {},
      () => undefined,
      () => undefined,
      'subscribeCluster',
    ),
    (error: { data?: string }) => /METHOD_FORBIDDEN/.test(error.data ?? ''),
  );
  await eventually(
    async () => {
      for (const network of ['home', 'lab']) {
        const { entries } = await two.call<{ entries: { port: number }[] }>('addPort', {
          ...{ type: 'client', target: `ws://127.0.0.1:9/in-${network}`, network, options: { wait: false } },
        });
        await two.call('delPort', { port: entries[0]?.port });
      }
      return [heard.root.includes('in-home'), heard.tutor.includes('in-lab')];
    },
    (seen) => seen.every(Boolean),
  );
  assert.match(heard.tutor, /"at":"r2"/);
  assert.doesNotMatch(heard.tutor, /home|hidden/);
}
