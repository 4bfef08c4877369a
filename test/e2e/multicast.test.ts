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

function run(host: Host, command: 'join' | 'send' | 'watch', device: string, group: string, source?: string): Process {
  const words = ['python3', PROGRAM, command, device, group, ...(source === undefined ? [] : [source])];
  return host.spawn(words, { timeoutMs: 300_000 });
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
  assert.match(shown, /^ +- +0 +querier +0\.0\.0\.0 +- +permanent +-$/m);
  assert.deepEqual((await running.port(3)).rxDiscards, {});
  await running.done('setnet', 'default', '--multicast-snooping', 'off');
  assert.deepEqual(await mdb(running), []);
});

test('frames of a source go to the hosts that have joined it, and those of others do not', async (t) => {
  const lab = await openTapLab(t, 'python3');
  if (lab === undefined) return;
  const middle = await lab.host('middle');
  const hosts: Host[] = [];
  for (const at of [1, 2, 3]) {
    const host = await lab.host(`host${at}`);
    const addresses = [`192.0.2.${at}/24`, `fd00::${at}/64`];
    await lab.link({ host, device: 'eth0', addresses }, { host: middle, device: `m${at}`, addresses: [] });
    hosts.push(host);
  }
  const running = await EtherwsSwitch.start(middle, ['--host', '127.0.0.1', '--port', '0']);
  for (const at of [1, 2, 3]) await running.done('addport', 'netdev', `m${at}`);
  await running.done('setnet', 'default', '--multicast-snooping', 'on', '--multicast-querier', 'on');
  const [wanted, other, member] = hosts as [Host, Host, Host];

  for (const [group, source, blocked] of [
    ['232.1.2.3', '192.0.2.1', '192.0.2.2'],
    ['ff35::9', 'fd00::1', 'fd00::2'],
  ] as const) {
    const senders = [wanted, other].map((host) => run(host, 'send', 'eth0', group));
    const watching = run(member, 'watch', 'eth0', group);
    await watching.output(/watching/);
    const joined = run(member, 'join', 'eth0', group, source);
    await hears(joined);
    const entries = await eventually(
      async () => (await mdb(running)).filter(({ address, kind }) => address === group && kind === 'member'),
      (found) => found.length > 0,
    );
    assert.deepEqual(
      entries.map(({ port, filterMode, sourceList }) => [port, filterMode, sourceList.map(({ address }) => address)]),
      [[3, 'include', [source]]],
    );
    // What the wire brings is of one station only, once the querier has been there long enough.
    const stationsOf = (lines: string): Set<string> => new Set(lines.trim().split('\n'));
    await eventually(
      async () => {
        const before = watching.stdout.length;
        await hears(watching);
        return stationsOf(watching.stdout.slice(watching.stdout.indexOf('\n', before) + 1).replace(/[^\n]*$/, '')).size;
      },
      (count) => count === 1,
      PRUNED_WITHIN_MS,
    );
    assert.match(await running.done('listmdb'), new RegExp(`member +${group} +${source} +temporary`));

    // The operator adds the other source, and takes it away.
    await running.done('addmdb', group, '3', '--source', blocked);
    await eventually(
      async () => {
        const before = watching.stdout.length;
        await hears(watching);
        return stationsOf(watching.stdout.slice(watching.stdout.indexOf('\n', before) + 1).replace(/[^\n]*$/, '')).size;
      },
      (count) => count === 2,
    );
    await running.done('delmdb', group, '3', '--source', blocked);
    await joined.end();
    const isGone = async (): Promise<boolean> => (await mdb(running)).every(({ address }) => address !== group);
    await eventually(isGone, (is) => is, PRUNED_WITHIN_MS);
    await Promise.all([...senders, watching].map((process) => process.end()));
  }
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
