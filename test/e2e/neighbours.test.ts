import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NeighborEntry } from '../../src/control/neighbor-entries.ts';
import { type EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { joinPair, LEFT, LEFT_TAP, openPair } from '../support/lan.ts';
import { run } from '../support/process.ts';

/** LLDP between two switches, by the commands of docs/operate/neighbours.md, with tshark as the judge of its frames. */

const PAGE = fencedBlocks('docs/operate/neighbours.md');
/** The fields of the frames that are compared, and what tshark complains about. */
const FIELDS = [
  ...['lldp.tlv.system.name', 'lldp.port.id', 'lldp.time_to_live', 'lldp.mgn.addr.ip4', 'lldp.mgn.addr.ip6'],
  ...['_ws.malformed', '_ws.expert.severity'],
];

/** The severity of a comment: the capture has one at an LLDPDU that comes before LLDP is on. */
const COMMENT = String(0x10_0000);

async function neighborsOf(target: EtherwsSwitch): Promise<NeighborEntry[]> {
  return (JSON.parse(await target.done('listneighbor', '--json')) as { entries: NeighborEntry[] }).entries;
}

test('two switches know each other by LLDP, and tshark reads what they send', async (t) => {
  const pair = await openPair(t, 'tshark');
  if (pair === undefined) return;
  const { lab, leftSwitch, rightSwitch } = await joinPair(pair, `ws://${LEFT.v4}:8000/`, {
    addport: ['--name', 'uplink'],
  });
  const file = join(lab.directory, 'lldp.pcapng');
  const capture = rightSwitch.ctl(['capture', 'uplink', '-w', file, '--filter', 'ether proto 0x88cc', '--count', '4']);
  await leftSwitch.done('setnet', 'default', '--lldp', 'on');
  const shell = PAGE.filter(({ language }) => language === 'sh').flatMap(({ text }) => commandsIn(text));
  assert.ok(shell.length >= 3);
  for (const [, , ...command] of shell) await rightSwitch.done(...command);

  const [atLeft] = await eventually(
    () => neighborsOf(leftSwitch),
    ({ length }) => length === 1,
  );
  const [atRight] = await eventually(
    () => neighborsOf(rightSwitch),
    ({ length }) => length === 1,
  );
  assert.deepEqual([atLeft?.port, atLeft?.system, atLeft?.neighborPort], [2, hostname(), 'uplink']);
  assert.deepEqual([atRight?.portName, atRight?.neighborPort, atRight?.capabilities], ['uplink', 'port-2', ['bridge']]);
  assert.deepEqual(atRight?.managementAddresses, [LEFT_TAP.v4, LEFT_TAP.v6], 'those of the device');
  await eventually(
    () => neighborsOf(leftSwitch),
    ([entry]) => entry?.managementAddresses.join() === '198.51.100.7,2001:db8:7::1',
  );
  assert.ok((await leftSwitch.done('listneighbor', '--long')).includes('198.51.100.7,2001:db8:7::1'));
  assert.match(atLeft?.chassis ?? '', /^.[26ae](:[0-9a-f]{2}){5}$/);
  assert.notEqual(atLeft?.chassis, atRight?.chassis);
  assert.ok((await rightSwitch.done('show', 'uplink')).includes('port-2'));
  const [head = ''] = (await rightSwitch.done('listneighbor')).split('\n');
  const example = PAGE.find(({ text }) => text.includes('listneighbor'))?.text.split('\n')[1] ?? '';
  assert.deepEqual(head.trim().split(/\s+/), example.trim().split(/\s+/));

  assert.equal((await capture).status, 0);
  const reading = ['tshark', '-r', file, '-T', 'fields', ...FIELDS.flatMap((field) => ['-e', field])];
  const { status, stdout } = await run(reading);
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 4);
  const told = new Set<string>();
  for (const line of lines) {
    const [name, port, ttl, ip4, ip6, ...complaints] = line.split('\t');
    assert.ok(ttl === '0' ? name === '' : name === hostname() && ttl === '121', line);
    assert.match(port ?? '', /^(uplink|port-2)$/);
    if (ttl !== '0') told.add(`${port} ${ip4} ${ip6}`);
    else assert.equal(`${ip4 ?? ''}${ip6 ?? ''}`, '');
    const [complaint = '', ...others] = complaints.reverse();
    assert.deepEqual(
      [others.join(''), complaint === COMMENT ? '' : complaint],
      ['', ''],
      'tshark complains about nothing',
    );
  }

  assert.ok(told.has(`port-2 ${LEFT_TAP.v4} ${LEFT_TAP.v6}`), [...told].join('; '));

  await rightSwitch.done('setnet', 'default', '--lldp', 'off');
  await eventually(
    () => neighborsOf(leftSwitch),
    ({ length }) => length === 0,
  );
});
