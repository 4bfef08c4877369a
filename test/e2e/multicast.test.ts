import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MdbEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { openTapLab } from '../support/lab-test.ts';
import { joinPair, openPair } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import type { Process } from '../support/process.ts';
import { until } from '../support/waits.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/e2e/programs/multicast_host.py', import.meta.url));
const GROUP = '239.1.2.3';
const GROUP6 = 'ff15::9';
/** The time that hosts have to answer a query, after which groups are pruned, and some more. */
const PRUNED_WITHIN_MS = 30_000;

function run(host: Host, command: 'join' | 'send' | 'watch', device: string, group: string): Process {
  return host.spawn(['python3', PROGRAM, command, device, group], { timeoutMs: 300_000 });
}

async function mdb(from: EtherwsSwitch): Promise<MdbEntry[]> {
  return (JSON.parse(await from.done('listmdb', '--json')) as { entries: MdbEntry[] }).entries;
}

async function members(from: EtherwsSwitch): Promise<string[]> {
  const groups = [GROUP, GROUP6];
  const entries = (await mdb(from)).filter(({ kind, address }) => kind === 'member' && groups.includes(address));
  return entries.map(({ address, port }) => `${address} ${port}`);
}

const linesOf = ({ stdout }: Process): number => stdout.split('\n').length - 1;

/** Waits until `process` prints lines. */
async function hears(process: Process): Promise<void> {
  const before = linesOf(process);
  await until(() => linesOf(process) > before + 3, PRUNED_WITHIN_MS);
}

/** Waits until `process` prints no more lines while `other` does. */
async function hearsNoMore(process: Process, other: Process): Promise<void> {
  const isSilent = async (): Promise<boolean> => {
    const [lines, others] = [linesOf(process), linesOf(other)];
    await until(() => linesOf(other) >= others + 5, PRUNED_WITHIN_MS);
    return linesOf(process) === lines;
  };
  await eventually(isSilent, (is) => is, PRUNED_WITHIN_MS);
}

test('frames of a group go to the hosts that have joined it, as the page says', async (t) => {
  const lab = await openTapLab(t, 'python3');
  if (lab === undefined) return;
  const middle = await lab.host('middle');
  const hosts: Host[] = [];
  for (const at of [1, 2, 3]) {
    const host = await lab.host(`host${at}`);
    const addresses = [`192.0.2.${at}/24`, `2001:db8::${at}/64`];
    await lab.link({ host, device: 'eth0', addresses }, { host: middle, device: `m${at}`, addresses: [] });
    hosts.push(host);
  }
  const running = await EtherwsSwitch.start(middle, ['--host', '127.0.0.1', '--port', '0']);
  for (const at of [1, 2, 3]) await running.done('addport', 'netdev', `m${at}`);
  const [sender, member, other] = hosts as [Host, Host, Host];

  const blocks = fencedBlocks('docs/operate/multicast.md');
  const commands = commandsIn(blocks.find(({ language }) => language === 'sh')?.text ?? '');
  assert.ok(commands.length > 1);
  for (const [program, ctl, ...words] of commands) {
    assert.deepEqual([program, ctl], ['etherws', 'ctl']);
    await running.done(...words);
  }

  for (const group of [GROUP, GROUP6]) {
    const sending = run(sender, 'send', 'eth0', group);
    const watching = run(other, 'watch', 'eth0', group);
    await watching.output(/watching/);
    let joined = run(member, 'join', 'eth0', group);
    await hears(joined);
    await eventually(
      () => members(running),
      (found) => found.includes(`${group} 2`),
    );
    await hearsNoMore(watching, joined);

    await joined.end();
    await eventually(
      () => members(running),
      (found) => !found.includes(`${group} 2`),
    );
    joined = run(member, 'join', 'eth0', group);
    await hears(joined);

    // The third port leaves fast: without the switch's question.
    const joinedToo = run(other, 'join', 'eth0', group);
    await hears(watching);
    await joinedToo.end();
    await hearsNoMore(watching, joined);
    await Promise.all([sending.end(), joined.end(), watching.end()]);
  }

  const shown = await running.done('listmdb');
  const titles = (table = ''): string[] => (table.trim().split('\n')[0] ?? '').split(/ +/);
  assert.deepEqual(titles(shown), titles(blocks.find(({ text }) => text.includes('Port'))?.text));
  assert.match(shown, /^ +- +0 +querier +0\.0\.0\.0 +permanent +-$/m);
  assert.deepEqual((await running.port(3)).rxDiscards, {});
  await running.done('setnet', 'default', '--multicast-snooping', 'off');
  assert.deepEqual(await mdb(running), []);
});

test('two switches: the querier is heard by the tunnel, and a tunnel that comes back brings its members', async (t) => {
  const pair = await openPair(t, 'python3');
  if (pair === undefined) return;
  const { leftSwitch, rightSwitch, left, right } = await joinPair(pair);
  await rightSwitch.done('setnet', 'default', '--multicast-snooping', 'on');
  await leftSwitch.done('setnet', 'default', '--multicast-snooping', 'on', '--multicast-querier', 'on');
  const joined = run(right, 'join', 'ethws0', GROUP);
  const sending = run(left, 'send', 'ethws0', GROUP);
  await hears(joined);
  const queriers = await eventually(
    async () => (await mdb(rightSwitch)).filter(({ kind, address }) => kind === 'querier' && address === '0.0.0.0'),
    (found) => found.length > 0,
  );
  assert.deepEqual(
    queriers.map(({ port, network }) => [port, network]),
    [[2, 'default']],
  );
  await eventually(
    () => members(leftSwitch),
    (found) => found.includes(`${GROUP} 2`),
  );

  await leftSwitch.done('setport', '2', '--shut', '1');
  assert.deepEqual(await members(leftSwitch), []);
  await leftSwitch.done('setport', '2', '--shut', '0');
  await hears(joined);
  await eventually(
    () => members(leftSwitch),
    (found) => found.includes(`${GROUP} 2`),
  );
  await Promise.all([sending.end(), joined.end()]);
});
