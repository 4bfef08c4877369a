import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StationEntry } from '../../src/control/station-entries.ts';
import { ETHERWS, type EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { joinPair, LEFT, LEFT_TAP, macOf, openPair, pings } from '../support/lan.ts';

/** What a switch knows of Linux hosts, with the commands of docs/operate/stations.md, and DHCP by busybox. */

const PAGE = fencedBlocks('docs/operate/stations.md');
/** A name that would be a script in a page, and would clear a terminal. */
const NAME = '<img src=x onerror=alert(1)>\x1b[2J';

async function stationsOf(target: EtherwsSwitch): Promise<StationEntry[]> {
  return (JSON.parse(await target.done('liststation', '--json')) as { entries: StationEntry[] }).entries;
}

test('the IP addresses, DHCP names and vendors of Linux hosts', async (t) => {
  const pair = await openPair(t, 'busybox');
  if (pair === undefined) return;
  const table = join(pair.lab.directory, 'oui.txt');
  writeFileSync(table, '08-00-20   (hex)\t\tOracle Corporation\n');
  const { lab, left, right, rightSwitch } = await joinPair(pair, `ws://${LEFT.v4}:8000/`, {
    addport: ['--name', 'uplink'],
  });
  const station = async (mac: string): Promise<StationEntry | undefined> =>
    (await stationsOf(rightSwitch)).find((entry) => entry.mac === mac);
  const macOfLeft = await macOf(left, 'ethws0');
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.ok(await pings(right, LEFT_TAP.v6));
  const seen = await eventually(
    () => station(macOfLeft),
    (entry) => entry?.addresses.includes(LEFT_TAP.v6) === true,
  );
  assert.ok(seen?.addresses.includes(LEFT_TAP.v4), String(seen?.addresses));
  assert.deepEqual([seen?.portName, seen?.hostname, seen?.vendor], ['uplink', null, 'locally administered']);
  const since = Date.parse(seen?.since ?? '');
  assert.ok(since <= Date.now() && since > Date.now() - 600_000, String(seen?.since));
  assert.match(await rightSwitch.done('trace', LEFT_TAP.v4), new RegExp(`^${macOfLeft}.*\n.*sent by one port`));
  assert.match((await rightSwitch.ctl(['trace', '192.0.2.77'])).stderr, /No station of the network default has/);

  await left.check(['ip', 'link', 'set', 'ethws0', 'down']);
  await left.check(['ip', 'link', 'set', 'ethws0', 'address', '08:00:20:00:00:01']);
  await left.check(['ip', 'link', 'set', 'ethws0', 'up']);
  const [config, leases] = [join(lab.directory, 'udhcpd.conf'), join(lab.directory, 'leases')];
  writeFileSync(leases, '');
  writeFileSync(
    config,
    `interface ethws0\nstart 192.0.2.150\nend 192.0.2.150\nlease_file ${leases}\npidfile ${join(lab.directory, 'pid')}\n`,
  );
  right.spawn(['busybox', 'udhcpd', '-f', config]);
  const name = `0x0c:${Buffer.from(NAME).toString('hex')}`;
  await left.check(
    ['busybox', 'udhcpc', '-i', 'ethws0', '-n', '-q', '-t', '30', '-T', '1', '-s', '/bin/true', '-x', name],
    {},
  );
  const leased = await station('08:00:20:00:00:01');
  assert.ok(leased?.addresses.includes('192.0.2.150'), String(leased?.addresses));
  assert.equal(leased?.hostname, NAME.replace('\x1b', '\ufffd'));
  const shown = await rightSwitch.done('liststation');
  assert.ok(!shown.includes('\x1b'));
  const [head = ''] = shown.split('\n');
  const example = PAGE.find(({ text }) => text.includes('ctl liststation'))?.text.split('\n')[1] ?? '';
  assert.deepEqual(head.trim().split(/\s+/), example.trim().split(/\s+/));

  const shell = PAGE.filter(({ language }) => language === 'sh').flatMap(({ text }) => commandsIn(text));
  const off = shell.find((words) => words.includes('--host-snooping'))?.slice(2) ?? [];
  assert.equal(off.length, 4);
  await rightSwitch.done(...off.map((word) => (word === 'guests' ? 'default' : word)));
  for (const entry of await stationsOf(rightSwitch)) assert.deepEqual([entry.addresses, entry.hostname], [[], null]);
});

test('a vendor by the table of --oui, and a table that is not there', async (t) => {
  const pair = await openPair(t);
  if (pair === undefined) return;
  const { lab } = pair;
  const table = join(lab.directory, 'oui.txt');
  writeFileSync(table, '08-00-20   (hex)\t\tOracle Corporation\n');
  const { left, leftSwitch } = await joinPair(pair, undefined, { sw: ['--port', '8000', '--oui', table] });
  await left.check(['ip', 'link', 'set', 'ethws0', 'down']);
  await left.check(['ip', 'link', 'set', 'ethws0', 'address', '08:00:20:00:00:01']);
  await left.check(['ip', 'link', 'set', 'ethws0', 'up']);
  const found = await eventually(
    async () => (await stationsOf(leftSwitch)).find(({ mac }) => mac === '08:00:20:00:00:01'),
    (entry) => entry !== undefined,
  );
  assert.equal(found?.vendor, 'Oracle Corporation');
  const { status, stderr } = await left.run([...ETHERWS, 'sw', '--foreground', '--oui', '/nowhere/oui.txt']);
  assert.equal(status, 1);
  assert.match(stderr, /--oui: cannot read .*there is no such file/);
});
