import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addressOf, type ClusterLab, openClusterLab } from '../support/cluster-lab.ts';
import { eventually } from '../support/etherws.ts';
import { pings, pingsInVain } from '../support/lan.ts';

/** VLANs and isolation over three nodes, with packet sockets of real hosts at each. */

const TAGGED_ARP = fileURLToPath(new URL('../../../test/support/peers/tagged_arp.py', import.meta.url));

/** Changes the port of the station at a site. */
async function set(lab: ClusterLab, site: number, ...settings: readonly string[]): Promise<void> {
  await lab.node(site).switch.done('setport', 'sta', ...settings);
}

test('ports of VLANs and isolated ports of three nodes are those of one switch', async (t) => {
  const lab = await openClusterLab(t);
  if (lab === undefined) return;
  await lab.startNodes();
  await lab.whole();
  const [one, two] = [lab.placeAt(1), lab.placeAt(2)];
  assert.ok(await pings(one, addressOf(3)), 'all ports are transparent');

  // Access ports of two VLANs at sites 1 and 3, and a trunk at site 2.
  await set(lab, 1, '--vlan-mode', 'access', '--pvid', '10');
  await set(lab, 2, '--vlan-mode', 'trunk', '--vlans', '10,20');
  await set(lab, 3, '--vlan-mode', 'access', '--pvid', '20');
  assert.ok(await pingsInVain(one, addressOf(3)), 'of two VLANs');
  const ask = async (tpid: string, vid: number, site: number, seconds = 60): Promise<string> =>
    (await two.run(['python3', TAGGED_ARP, 'eth0', tpid, `${vid}`, addressOf(site), `${seconds}`])).stdout.trim();
  assert.deepEqual(
    [await ask('8100', 10, 1), await ask('8100', 20, 3), await ask('8100', 20, 1, 2), await ask('8100', 10, 3, 2)],
    ['8100 10', '8100 20', '', ''],
  );
  await set(lab, 2, '--ethertype', '88a8');
  assert.deepEqual(
    [await ask('88a8', 10, 1), await ask('88a8', 20, 3), await ask('8100', 10, 1, 2)],
    ['88a8 10', '88a8 20', ''],
  );
  // Each node knows the asking station in its VLANs, at site 2.
  for (const site of [1, 3]) {
    const vids = async (): Promise<number[]> =>
      (await lab.node(site).fdb()).filter(({ mac }) => mac.endsWith('00:77')).map(({ vid }) => vid);
    await eventually(vids, (known) => [10, 20].every((vid) => known.includes(vid)));
  }

  for (const site of [1, 2, 3]) await set(lab, site, '--vlan-mode', 'transparent');
  for (const site of [1, 3]) await set(lab, site, '--isolated', '1');
  assert.ok(await pingsInVain(one, addressOf(3)), 'both are isolated');
  assert.ok(await pings(one, addressOf(2)), 'an isolated port reaches one that is not');
  assert.ok(await pings(two, addressOf(3)), 'and is reached');
  await set(lab, 3, '--isolated', '0');
  assert.ok(await pings(one, addressOf(3)), 'one of both is isolated no longer');
});
