import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clusterKeyOf } from '../../src/cluster/cluster-key.ts';
import { NatsStore } from '../../src/cluster/nats/nats-store.ts';
import type { StatusEntry } from '../../src/control/schema.ts';
import { eventually } from '../support/etherws.ts';
import { NatsServer } from '../support/nats-server.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/waits.ts';

/** A program that may read and publish all in the NATS account of a cluster, and has not its secret. */

const directory = mkdtempSync(join(tmpdir(), 'etherws-cluster-secret-'));
after(() => rmSync(directory, { recursive: true }));
const key = (): string => randomBytes(32).toString('base64');
const skip = missingTools('nats-server');
const LOAD = { load: { tunnels: 0, mostTunnels: 1, loopDelayMs: 0 }, isDraining: false, detours: {} };

const clusterOf = async (node: SwitchProcess): Promise<NonNullable<StatusEntry['cluster']>> => {
  const { entries } = await node.call<{ entries: StatusEntry[] }>('getStatus');
  assert.ok(entries[0]?.cluster);
  return entries[0].cluster;
};
const membersOf = async (node: SwitchProcess): Promise<string[]> =>
  (await clusterOf(node)).members.map((member) => member.node);

test('a program in the NATS account of a cluster with a secret is no node, and commands, changes and redirects nothing', {
  skip,
}, async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const secret = join(directory, 'secret');
  writeFileSync(secret, `# of the test\n${key()}\n`, { mode: 0o600 });
  const start = (node: string): Promise<SwitchProcess> =>
    SwitchProcess.start(t, ['--cluster', nats.url, '--cluster-secret', secret, '--node', node]);
  const [one, two] = [await start('r1'), await start('r2')];
  const port = { type: 'client', target: 'ws://127.0.0.1:9/mine', name: 'mine', options: { wait: false } };
  for (const node of [one, two]) await node.call('addPort', { ...port });
  const mesh = async (node: SwitchProcess): Promise<boolean> =>
    (await clusterOf(node)).members.some((member) => member.mesh.some(({ isUp }) => isUp));
  await eventually(() => mesh(one), Boolean);
  await one.call('addClusterNet', { network: 'lab' });

  const attacker = new NatsStore({ cluster: 'etherws', shown: nats.url, connection: { servers: nats.url } });
  t.after(() => attacker.close());
  const recorded: { subject: string; message: unknown }[] = [];
  attacker.subscribe('*', (message, subject) => recorded.push({ subject, message }));
  const config = attacker.table('config');
  await config.whenLoaded();
  await until(() => recorded.length > 4);

  assert.equal(clusterKeyOf(config), undefined, 'the store has no key');
  for (const { value } of config.entries()) assert.ok('mac' in (value as object), 'each value has a code');

  const forged = { protocol: 2, boot: 'b', url: 'ws://127.0.0.1:9/', version: '2', networks: ['default'], ...LOAD };
  for (let sequence = 1; sequence < 4; sequence++) {
    attacker.publish('node', { ...forged, node: 'r3', sequence });
    attacker.publish('node', { ...forged, node: 'r2', sequence, isLeaving: true });
  }
  const call = { method: 'delPort', params: { port: 'mine' }, user: null, networks: null };
  await assert.rejects(attacker.request('call.r2', call, 2000), { code: 'CLUSTER_NODE_UNPROVEN' });
  await config.put('policy', { text: 'default: {}', by: null, at: 'x' });
  await config.put('network.evil', { settings: {}, by: null, at: 'x' });
  await config.remove('network.lab');
  await eventually(
    async () => config.get('network.lab')?.value,
    (value) => value !== undefined,
  );
  assert.deepEqual(await membersOf(one), ['r1', 'r2']);
  assert.deepEqual((await two.call<{ entries: { text: string }[] }>('getClusterPolicy')).entries, []);
  const nets = JSON.stringify(await two.call('listNet'));
  assert.ok(nets.includes('lab') && !nets.includes('evil'), nets);
  assert.ok((await two.ports()).some(({ name }) => name === 'mine'));
  assert.ok(await mesh(one));
  assert.ok(((await clusterOf(one)).refused ?? 0) > 0);
  const findings = JSON.stringify(await one.call('listFinding'));
  assert.match(findings, /came by the store without the secret/);

  // What r2 has said is recorded; then it ends, and is not believed again.
  await two.process.end();
  await eventually(
    () => membersOf(one),
    (members) => members.length === 1,
  );
  await assert.rejects(start('r4'), /The store has a value of "policy" without a code of the secret/);
  const change = one.call('setClusterPolicy', { text: 'default: {}' });
  await assert.rejects(change, /setClusterPolicy is refused/, 'the policy may forbid it');
  await config.remove('policy');
  const late = await start('r4');
  for (const { subject, message } of recorded) attacker.publish(subject, message);
  await eventually(
    () => membersOf(late),
    (members) => members.includes('r1'),
  );
  assert.deepEqual(await membersOf(one).then((members) => members.includes('r2')), false);
  assert.deepEqual(await membersOf(late).then((members) => members.includes('r2')), false);
  // The two that live do call each other.
  const answers = await late.call<{ entries: { node: string; error: string | null }[] }>('callCluster', {
    method: 'listPort',
  });
  assert.deepEqual(
    answers.entries.map(({ node, error }) => [node, error]),
    [
      ['r1', null],
      ['r4', null],
    ],
  );
});

/** Resolves when a node has read its file once more. */
async function readAgain(node: SwitchProcess): Promise<void> {
  const times = (): number => node.log.split('Read again').length;
  const before = reads.get(node) ?? 1;
  await until(() => times() > before);
  reads.set(node, times());
}
const reads = new WeakMap<SwitchProcess, number>();

test('a node with another secret, and one without, are no nodes of the cluster, and the secret is changed under way', {
  skip,
}, async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  const [former, next] = [key(), key()];
  const files = ['r1', 'r2'].map((node) => join(directory, `secret-${node}`));
  const write = (...keys: string[]): void => {
    for (const file of files) writeFileSync(file, `${keys.join('\n')}\n`);
  };
  const start = (node: string, file: string | undefined): Promise<SwitchProcess> =>
    SwitchProcess.start(t, [
      ...['--cluster', nats.url, '--node', node],
      ...(file === undefined ? [] : ['--cluster-secret', file]),
    ]);
  write(former);
  const [one, two] = [await start('r1', files[0]), await start('r2', files[1])];
  const both = (members: string[]): boolean => members.join() === 'r1,r2';
  await eventually(() => membersOf(one), both);
  await one.call('addClusterNet', { network: 'lab' });
  const other = join(directory, 'secret-other');
  writeFileSync(other, key());
  const [wrong, without] = [await start('r3', other), await start('r0', undefined)];
  await eventually(
    async () => (await clusterOf(one)).refused,
    (refused) => (refused ?? 0) > 1,
  );
  assert.deepEqual(await membersOf(wrong), ['r3']);
  assert.deepEqual(await membersOf(without), ['r0']);
  assert.match(without.log, /network\.lab has the code of a secret, and this node has none/);
  assert.ok(both(await membersOf(one)));

  for (const step of [
    [former, next],
    [next, former],
  ]) {
    write(...step);
    await Promise.all([readAgain(one), readAgain(two)]);
    assert.ok(both(await membersOf(one)));
  }
  write(next);
  await Promise.all([readAgain(one), readAgain(two)]);
  const third = await start('r5', files[0]);
  await eventually(
    () => membersOf(third),
    (members) => members.join() === 'r1,r2,r5',
  );
  await eventually(
    async () => JSON.stringify(await third.call('listNet')),
    (nets) => nets.includes('lab'),
  );
  assert.ok(!one.log.includes(former) && !one.log.includes(next));
});
