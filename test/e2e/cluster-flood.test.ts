import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TUNNEL_PORT } from '../support/cluster/node.ts';
import { macOfStation, Station } from '../support/cluster/station.ts';
import { openClusterLab } from '../support/cluster-lab.ts';
import type { Host } from '../support/namespaces.ts';

const FRAMES = 400;

test('a flood goes once to each node that has members of the network, and to no other one', async (t) => {
  const lab = await openClusterLab(t);
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  await lab.startStations();
  const { oracle } = lab;
  await oracle.settled('at first');
  for (const node of lab.nodes) for (const id of [1, 2, 3]) await node.knows(macOfStation(id));
  const before = await oracle.strays();
  await oracle.settled('when all stations are known');
  assert.equal(await oracle.strays(), before, 'frames to known stations come to no other one');

  // r3 has no member of the default network any more.
  for (const port of ['sta', 'guest']) await lab.node(3).call('delPort', { port });
  const at3 = oracle.stations.findIndex(({ id }) => id === 3);
  await oracle.stations.splice(at3, 1)[0]?.end();
  await lab.withoutMesh(3);
  for (const station of oracle.stations) station.setSending(false);
  const counters = await Promise.all(lab.sites.map(({ host }) => countTunnels(host)));
  const flooder = new Station(lab.placeAt(1), 'eth0', 9, [200], 5);
  t.after(() => flooder.end());
  await flooder.ready();
  const receiver = lab.oracle.stations.find(({ id }) => id === 2);
  assert.ok(receiver !== undefined);
  for (let heard = 0, end = Date.now() + 30_000; heard < FRAMES; ) {
    assert.ok(Date.now() < end, `station 2 heard ${heard} of ${FRAMES}`);
    heard = (await receiver.report()).heard['9/broadcast/0']?.at(-1)?.[1] ?? 0;
  }
  flooder.setSending(false);
  const [, atTwo = 0, atThree = 0] = await Promise.all(counters.map((count) => count()));
  t.diagnostic(`octets in tunnels: ${atTwo} to r2, ${atThree} to r3`);
  // Three frames a number, of 60 octets each.
  assert.ok(atTwo > FRAMES * 3 * 60, `only ${atTwo} octets to r2`);
  // Heartbeats and what keeps the cluster.
  assert.ok(atThree < atTwo / 20, `${atThree} octets to r3, which has no member`);
});

/** Counts octets that come to a host by tunnels, from now on. */
async function countTunnels(host: Host): Promise<() => Promise<number>> {
  const match = `tcp sport ${TUNNEL_PORT} counter; add rule inet count in tcp dport ${TUNNEL_PORT} counter`;
  const table = 'add table inet count; add chain inet count in { type filter hook input priority 0; }';
  await host.check(['nft', `${table}; add rule inet count in ${match}`]);
  return async () => {
    const listed = await host.check(['nft', 'list', 'chain', 'inet', 'count', 'in']);
    return [...listed.matchAll(/bytes (\d+)/g)].reduce((sum, [, octets]) => sum + Number(octets), 0);
  };
}
