import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ClusterStatus } from '../../src/control/cluster-status-entries.ts';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import type { Host } from '../support/namespaces.ts';

/*
 * `etherws sw --cluster embedded`: the nats-server that it starts is one for further nodes, keeps its data beside the state, and
 * ends with the switch, however that ends.
 */

const FIRST = ['--port', '8000', '--ctlport', '7001'];
const SECOND = ['--port', '8001', '--ctlport', '7002'];
const CTL = (port: number): string[] => ['--ctlurl', `http://127.0.0.1:${port}/ctl`];

/** The processes of the host that run nats-server. */
async function servers(host: Host): Promise<number> {
  const { stdout } = await host.run(['sh', '-c', 'cat /proc/[0-9]*/comm 2>/dev/null']);
  return stdout.split('\n').filter((name) => name === 'nats-server').length;
}

async function clusterOf(node: EtherwsSwitch): Promise<ClusterStatus> {
  const { entries } = JSON.parse(await node.done('status', '--json')) as { entries: [{ cluster: ClusterStatus }] };
  return entries[0].cluster;
}

test('a switch with --cluster embedded starts a nats-server, which further nodes join and which ends with it', async (t) => {
  const lab = await openLab(t, 'nats-server', 'setpriv');
  if (lab === undefined) return;
  const host = await lab.host('trial');
  const state = join(lab.directory, 'state.json');
  const embedded = ['--cluster', 'embedded', '--node', 'r1', '--state', state, ...FIRST];
  const first = await EtherwsSwitch.start(host, embedded, CTL(7001));
  await first.process.output(/nats-server started.*nats:\/\/127\.0\.0\.1:4222/);
  assert.equal(await servers(host), 1);

  // The line of the log says how further nodes of the host join.
  const join2 = ['--cluster', 'nats://127.0.0.1:4222', '--node', 'r2', ...SECOND];
  const second = await EtherwsSwitch.start(host, join2, CTL(7002));
  // A port makes a node a member of the network; nothing answers at its URL.
  for (const node of [first, second]) await node.done('addport', 'client', 'ws://127.0.0.1:1/', '--no-wait');
  const { members } = await eventually(
    () => clusterOf(second),
    (cluster) => cluster.members.some(({ mesh }) => mesh.some(({ isUp }) => isUp)),
  );
  assert.deepEqual(
    members.map(({ node }) => node),
    ['r1', 'r2'],
  );

  // One such server is enough: the second one says what to do instead.
  const again = await host.run([
    ...ETHERWS,
    'sw',
    '--foreground',
    '--cluster',
    'embedded',
    '--node',
    'r3',
    '--port',
    '8002',
  ]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /nats-server of --cluster embedded did not start: .*4222/);
  assert.match(again.stderr, /--cluster nats:\/\/127\.0\.0\.1:4222/);

  await first.done('--cluster', 'addnet', 'office');
  const { status, stderr } = await first.stop();
  assert.equal(status, 0, stderr);
  assert.equal(await servers(host), 0);
  // The second node forwards by what it knew.
  assert.equal((await clusterOf(second)).isStoreConnected, false);
  assert.match(await second.done('listnet'), /office/);

  assert.ok(existsSync(join(lab.directory, 'nats-etherws')), 'the data are beside the state');
  const restarted = await EtherwsSwitch.start(host, embedded, CTL(7001));
  assert.match(await restarted.done('--cluster', 'history'), /network\.office/);
  await restarted.stop('SIGKILL');
  await eventually(
    () => servers(host),
    (count) => count === 0,
  );
});
