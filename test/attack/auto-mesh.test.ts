import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { StatusEntry } from '../../src/control/schema.ts';
import { dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import type { TunnelPort } from '../../src/ports/tunnel/tunnel-port.ts';
import { eventually } from '../support/etherws.ts';
import { NatsServer } from '../support/nats-server.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

const ROOMS = ['a', 'b', 'c', 'd', 'e', 'f'];

const clusterOf = async (node: SwitchProcess): Promise<NonNullable<StatusEntry['cluster']>> => {
  const { entries } = await node.call<{ entries: StatusEntry[] }>('getStatus');
  assert.ok(entries[0]?.cluster);
  return entries[0].cluster;
};

/** The networks with a mesh tunnel that is up. */
const joined = async (node: SwitchProcess): Promise<string[]> =>
  (await clusterOf(node)).members
    .flatMap(({ mesh }) => mesh.filter(({ isUp }) => isUp).map(({ network }) => network))
    .sort();

/** Clients that make each room at both nodes. */
async function occupy(t: TestContext, nodes: readonly SwitchProcess[]): Promise<Map<string, TunnelPort[]>> {
  const rooms = new Map<string, TunnelPort[]>();
  for (const room of ROOMS) {
    const ports: TunnelPort[] = [];
    for (const { tunnelPort } of nodes) ports.push(await dialTunnel({ url: `ws://127.0.0.1:${tunnelPort}/${room}` }));
    rooms.set(room, ports);
    t.after(() => Promise.all(ports.map((port) => port.close())));
  }
  return rooms;
}

for (const [bounds, what] of [
  [['4', '1000'], 'that dials'],
  [['1000', '4'], 'that accepts'],
] as const) {
  test(`clients that make networks at two nodes get no more mesh tunnels than the node ${what} allows`, {
    skip: missingTools('nats-server'),
  }, async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.end());
    const start = (node: string, most: string): Promise<SwitchProcess> =>
      SwitchProcess.start(t, [
        ...['--cluster', nats.url, '--node', node],
        ...['--auto-net', '100', '--auto-net-mesh', most, '--grace', '0'],
      ]);
    const [one, two] = [await start('r1', bounds[0]), await start('r2', bounds[1])];
    const rooms = await occupy(t, [one, two]);
    const joinedRooms = async (): Promise<string[]> => (await joined(one)).filter((name) => name !== 'office');
    await eventually(joinedRooms, (names) => names.length === 4);

    // A network that an operator has made has its tunnel whatever clients do.
    await one.call('addClusterNet', { network: 'office' });
    for (const node of [one, two]) {
      const port = { type: 'client', target: 'ws://127.0.0.1:9/', network: 'office', options: { wait: false } };
      await eventually(
        () =>
          node.call('addPort', port).then(
            () => true,
            () => false,
          ),
        (isAdded) => isAdded,
      );
    }
    await eventually(
      () => joined(one),
      (names) => names.includes('office') && names.length === 5,
    );
    await eventually(
      () => joined(two),
      (names) => names.length === 5,
    );

    if (bounds[0] === '4') {
      const { left } = await clusterOf(one);
      assert.deepEqual([left.tunnels, left.examples.length], [2, 2]);
      const findings = JSON.stringify(await one.call('listFinding'));
      assert.match(findings, /at the bound of --auto-net-mesh: 2 automatic networks \(\w to r2, \w to r2\)/);
      assert.match(one.log, /no further mesh tunnels of automatic networks/);
      assert.equal(one.log.split('no further mesh tunnels').length, 2, 'said once');
    } else {
      // What was refused is left for a while, and not dialled each second.
      await eventually(
        () => clusterOf(one),
        ({ left }) => left.tunnels === 2,
      );
      const { meshRefused } = await eventually(
        () => clusterOf(two),
        (cluster) => cluster.meshRefused >= 2,
      );
      assert.ok(meshRefused < 10, `${meshRefused} refusals`);
      assert.equal(two.log.split('mesh tunnels of automatic networks are refused').length, 2, 'said once');
    }

    // A room that ends makes room for another one.
    const [gone = ''] = await joinedRooms();
    for (const port of rooms.get(gone) ?? []) await port.close();
    await eventually(joinedRooms, (names) => names.length === 4 && !names.includes(gone));
  });
}
