import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { NetworkEntry } from '../../src/control/network-entries.ts';
import type { StatusEntry } from '../../src/control/schema.ts';
import type { NetworkChange } from '../../src/schema/network-options.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { FrameSource } from '../support/frame-source.ts';
import { NatsServer } from '../support/nats-server.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

/** Control of a cluster from any of its nodes, with a real NATS server and nodes that are processes. */

const skip = missingTools('nats-server');

async function startNats(t: TestContext): Promise<NatsServer> {
  const nats = await NatsServer.start();
  t.after(() => nats.end());
  return nats;
}

function startNode(t: TestContext, { url }: NatsServer, node: string, more: readonly string[] = []) {
  return SwitchProcess.start(t, ['--cluster', url, '--cluster-name', 'lab', '--node', node, ...more]);
}

async function ctl(at: SwitchProcess, ...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const url = `http://127.0.0.1:${at.controlPort}/ctl`;
  const { status, stdout, stderr } = await run([...ETHERWS, 'ctl', '--ctlurl', url, ...words]);
  return { status: status ?? -1, stdout, stderr };
}

/** The ageing times of the networks. */
async function networksOf(at: SwitchProcess): Promise<{ readonly office?: unknown }> {
  const { entries } = await at.call<{ entries: NetworkEntry[] }>('listNet');
  return Object.fromEntries(entries.map(({ network, settings }) => [network, (settings as NetworkChange).ageout]));
}

async function clusterOf(at: SwitchProcess): Promise<NonNullable<StatusEntry['cluster']>> {
  const { entries } = await at.call<{ entries: StatusEntry[] }>('getStatus');
  const { cluster } = entries[0] ?? {};
  assert.ok(cluster !== undefined);
  return cluster;
}

async function joined(nodes: readonly SwitchProcess[]): Promise<void> {
  for (const node of nodes) {
    await eventually(
      async () => (await clusterOf(node)).members.length,
      (count) => count === nodes.length,
    );
  }
}

test('lists and the status of all nodes come from any of them', { skip }, async (t) => {
  const nats = await startNats(t);
  const nodes = [await startNode(t, nats, 'r1'), await startNode(t, nats, 'r2'), await startNode(t, nats, 'r3')];
  await joined(nodes);
  const [one, two, three] = nodes as [SwitchProcess, SwitchProcess, SwitchProcess];
  await FrameSource.open(t, three.tunnelPort);
  const { status, stdout, stderr } = await ctl(two, '--cluster', 'listport', '--filter', 'type=server', '--json');
  assert.deepEqual([status, stderr], [0, '']);
  const { entries } = JSON.parse(stdout) as { entries: { node: string; type: string }[] };
  assert.deepEqual(
    entries.map(({ node, type }) => [node, type]),
    [['r3', 'server']],
  );
  const page = await ctl(one, 'show', `r3/${await portOf(three, 'server')}`);
  assert.match(page.stdout, /^Node r3\nport \d+: server/);
  await three.process.end();
  const after = await ctl(one, '--cluster', 'status');
  assert.match(after.stdout, /r1 .*\n.*r2 /);
  assert.doesNotMatch(after.stdout, /r3/);
  // Until its lease ends it is a node that does not answer.
  if (after.status !== 0) assert.match(after.stderr, /node r3: CLUSTER_/);
});

async function portOf(at: SwitchProcess, type: string): Promise<number> {
  return (await at.ports()).find((port) => port.type === type)?.port ?? 0;
}

test('a network and the policy are changed in one place, rolled back, and kept without the store', {
  skip,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-control-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const state = ['--state', join(directory, 'state')];
  const nats = await startNats(t);
  const one = await startNode(t, nats, 'r1', state);
  const two = await startNode(t, nats, 'r2');
  await joined([one, two]);

  const added = await ctl(one, '--cluster', 'addnet', 'office', '--ageout', '60', '--json');
  const { revision } = (JSON.parse(added.stdout) as { entries: { revision: number }[] }).entries[0] ?? {};
  await eventually(
    () => networksOf(two),
    ({ office }) => office === 60,
  );
  assert.equal((await ctl(two, '--cluster', 'setnet', 'office', '--ageout', '5')).status, 0);
  const stale = await ctl(one, '--cluster', 'setnet', 'office', '--ageout', '7', '--revision', String(revision));
  assert.match(stale.stderr, /CLUSTER_CONFLICT/);
  assert.equal((await ctl(one, '--cluster', 'rollback', 'network.office', String(revision))).status, 0);
  await eventually(
    () => networksOf(two),
    ({ office }) => office === 60,
  );

  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, 'default:\n  tunnels: {networks: [default], max-ports: 1}\n');
  assert.equal((await ctl(two, '--cluster', 'policy', 'set', policy)).status, 0);
  await eventually(
    async () => one.log,
    (log) => log.includes('the policy of the cluster is in force'),
  );

  await nats.kill();
  await eventually(
    async () => (await clusterOf(one)).isStoreConnected,
    (isConnected) => !isConnected,
  );
  assert.ok((await clusterOf(one)).revision > 0);
  assert.match((await ctl(one, 'status')).stdout, /without the store for .*runs on revision \d+/);
  assert.equal((await networksOf(one)).office, 60);
  await one.process.end();
  const again = await startNode(t, nats, 'r1', state);
  assert.equal((await networksOf(again)).office, 60, 'it starts without the store');
  assert.match(again.log, /the policy of the cluster is in force/);
  const refused = await ctl(again, '--cluster', 'addnet', 'more');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /CLUSTER_UNAVAILABLE/);
  assert.match((await ctl(again, 'delnet', 'office', '--force')).stderr, /one of all nodes of the cluster/);

  await nats.restart();
  await eventually(
    async () => (await ctl(two, '--cluster', 'delnet', 'office')).status,
    (status) => status === 0,
  );
  await eventually(
    () => networksOf(again),
    (networks) => !('office' in networks),
  );
});

test('a node with a policy of its own does not start where the cluster has one', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-control-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, 'default:\n  tunnels: {max-ports: 1}\n');
  const nats = await startNats(t);
  const one = await startNode(t, nats, 'r1');
  assert.equal((await ctl(one, '--cluster', 'policy', 'set', policy)).status, 0);
  const options = ['--cluster', nats.url, '--cluster-name', 'lab', '--node', 'r2', '--policy', policy];
  const { status, stderr } = await run([
    ...ETHERWS,
    'sw',
    '--foreground',
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--ctlport',
    '0',
    ...options,
  ]);
  assert.equal(status, 1);
  assert.match(stderr, /The cluster has a policy, and this node has one of its own/);
});
