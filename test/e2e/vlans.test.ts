import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { VlanEntry } from '../../src/control/vlan-entries.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { openTapLab } from '../support/lab-test.ts';
import { LEFT, openPair, pings, pingsInVain } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';

/** VLANs between real hosts. The example is that of docs/operate/vlans.md. */

const PAGE = fencedBlocks('docs/operate/vlans.md').filter(({ section }) => section === 'Example');
const TAGGED_ARP = fileURLToPath(new URL('../../../test/support/peers/tagged_arp.py', import.meta.url));

async function vlansOf(target: EtherwsSwitch): Promise<VlanEntry[]> {
  return (JSON.parse(await target.done('listvlan', '--json')) as { entries: VlanEntry[] }).entries;
}

test('two departments share a tunnel, by the commands of the page', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const left = await EtherwsSwitch.start(pair.left, ['--port', '8000']);
  const right = await EtherwsSwitch.start(pair.right, ['--host', '127.0.0.1', '--port', '0']);
  await right.done('addport', 'client', `ws://${LEFT.v4}:8000/`, '--name', 'uplink');
  await eventually(
    () => left.ports(),
    ([first]) => first?.state === 'up',
  );
  const commands = PAGE.filter(({ language }) => language === 'sh').flatMap(({ text }) => commandsIn(text));
  assert.equal(commands.length, 3);
  for (const [, , ...command] of commands) {
    await right.done(...command);
    // The tunnel that the left switch has accepted stays transparent.
    if (command[0] === 'addport') await left.done(...command);
  }
  for (const [at, target] of [left, right].entries()) {
    await target.done('setif', '2', '--address', `10.10.0.${at + 1}/24`);
    await target.done('setif', '3', '--address', `10.20.0.${at + 1}/24`);
  }
  assert.ok(await pings(pair.right, '10.10.0.1'), 'sales reaches sales');
  assert.ok(await pings(pair.right, '10.20.0.1'), 'lab reaches lab');
  const listed = (await right.done('listvlan')).trimEnd().split('\n');
  const shown = PAGE.find(({ text }) => text.startsWith('VID'))
    ?.text.trimEnd()
    .split('\n');
  const members = (lines: readonly string[] = []): string[] =>
    lines.map((line) => line.trim().split(/\s+/).slice(0, 3).join(' '));
  assert.deepEqual(members(listed), members(shown));
  assert.deepEqual(
    (await vlansOf(left)).map(({ vid, tagged, untagged }) => [vid, tagged, untagged]),
    [
      [0, [], [1]],
      [10, [1], [2]],
      [20, [1], [3]],
    ],
  );

  // Lab moves to the VLAN of sales at one end: now sales and lab of the other end are apart from it.
  await right.done('setport', '3', '--pvid', '30');
  assert.ok(await pingsInVain(pair.right, '10.20.0.1'));
  const learned = (await right.fdb()).filter(({ vid }) => vid === 10);
  assert.equal(learned.length, 2, 'the TAP devices of sales at both ends');
});

test('access ports of two VLANs are apart, and a trunk has both, with tags of either kind', async (t) => {
  const lab = await openTapLab(t, 'ping', 'python3');
  if (lab === undefined) return;
  const middle = await lab.host('middle');
  const hosts: Host[] = [];
  for (const at of [0, 1, 2, 3]) {
    const host = await lab.host(`host${at}`);
    const addresses = at < 3 ? [`192.0.2.${at + 1}/24`] : [];
    await lab.link({ host, device: 'eth0', addresses }, { host: middle, device: `m${at}`, addresses: [] });
    hosts.push(host);
  }
  const running = await EtherwsSwitch.start(middle, ['--host', '127.0.0.1', '--port', '0']);
  for (const [at, pvid] of [10, 10, 20].entries()) {
    await running.done('addport', 'netdev', `m${at}`, '--vlan-mode', 'access', '--pvid', `${pvid}`);
  }
  await running.done('addport', 'netdev', 'm3', '--vlan-mode', 'trunk', '--vlans', '10,20');
  const [one, , , trunk] = hosts as [Host, Host, Host, Host];
  assert.ok(await pings(one, '192.0.2.2'), 'in the same VLAN');
  assert.ok(await pingsInVain(one, '192.0.2.3'), 'in another VLAN');

  const ask = async (tpid: string, vid: number, address: string, seconds = 60): Promise<string> =>
    (await trunk.run(['python3', TAGGED_ARP, 'eth0', tpid, `${vid}`, address, `${seconds}`])).stdout.trim();
  assert.deepEqual(
    [await ask('8100', 10, '192.0.2.1'), await ask('8100', 20, '192.0.2.3'), await ask('8100', 20, '192.0.2.1', 2)],
    ['8100 10', '8100 20', ''],
  );
  await running.done('setport', '4', '--ethertype', '88a8');
  assert.deepEqual([await ask('88a8', 10, '192.0.2.2'), await ask('8100', 10, '192.0.2.2', 2)], ['88a8 10', '']);
  const { rxDiscards } = await running.port(4);
  assert.ok((rxDiscards['tagMissing'] ?? 0) > 0, 'a C-TAG is no tag of a trunk with S-TAGs');
});
