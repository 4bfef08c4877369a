import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { StpEntry } from '../../src/control/stp-entries.ts';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { joinPair, LEFT, LEFT_TAP, openPair } from '../support/lan.ts';

/*
 * Spanning tree of real switches: with the bridge of Linux, which knows STP only, and over parallel tunnels.
 */

async function tree(lan: EtherwsSwitch, network = 'default'): Promise<StpEntry> {
  const { entries } = JSON.parse(await lan.done('liststp', '--json', '--net', network)) as { entries: StpEntry[] };
  const [entry] = entries;
  assert.ok(entry !== undefined);
  return entry;
}

/** The role and state of each port. */
async function rolesOf(lan: EtherwsSwitch): Promise<string[]> {
  return (await tree(lan)).ports.map(({ role, state }) => `${role} ${state}`);
}

/** As ip-link(8) shows a port of the kernel's bridge. */
interface KernelPort {
  readonly linkinfo: { readonly info_slave_data: { readonly state: string } };
}

test('a ring with a kernel bridge that knows STP only: one port blocks, and takes over; no frame goes round', async (t) => {
  const lab = await openTapLab(t, 'ip', 'ping');
  if (lab === undefined) return;
  const host = await lab.host('lan');
  for (const cable of ['a', 'b']) {
    await host.check(['ip', 'link', 'add', `${cable}0`, 'type', 'veth', 'peer', 'name', `${cable}1`]);
  }
  const bridge = ['type', 'bridge', 'stp_state', '1', 'forward_delay', '400', 'max_age', '600', 'hello_time', '100'];
  await host.check(['ip', 'link', 'add', 'br0', ...bridge, 'mcast_snooping', '0']);
  for (const end of ['a1', 'b1']) await host.check(['ip', 'link', 'set', end, 'master', 'br0', 'up']);
  for (const end of ['a0', 'b0', 'br0']) await host.check(['ip', 'link', 'set', end, 'up']);
  await host.check(['ip', 'address', 'add', '192.0.2.9/24', 'dev', 'br0']);
  const stateOf = async (port: string): Promise<string | undefined> => {
    const [link] = JSON.parse(
      await host.check(['ip', '-json', '-details', 'link', 'show', 'dev', port]),
    ) as KernelPort[];
    return link?.linkinfo.info_slave_data.state;
  };

  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  const times = ['--hello-time', '1', '--max-age', '6', '--forward-delay', '4'];
  await lan.done('setnet', 'default', '--stp', 'on', '--priority', '4096', ...times);
  await lan.done('addport', 'netdev', 'a0');
  await lan.done('addport', 'netdev', 'b0');
  await eventually(
    async () => [await stateOf('a1'), await stateOf('b1')],
    ([a, b]) => a === 'forwarding' && b === 'blocking',
  );
  await eventually(
    () => rolesOf(lan),
    (roles) => roles.every((role) => role === 'designated forwarding'),
  );
  const { rootPort, ports } = await tree(lan);
  assert.equal(rootPort, null);
  assert.deepEqual(
    ports.map(({ version }) => version),
    ['stp', 'stp'],
  );

  // A broadcast goes to the kernel bridge once. In a loop its copies would be counted without end.
  const received = async () => (await lan.ports()).reduce((sum, { rx }) => sum + rx, 0);
  const before = await received();
  await host.run(['ping', '-c', '1', '-W', '0.1', '192.0.2.77']);
  assert.ok((await received()) - before < 100);

  await host.check(['ip', 'link', 'set', 'a0', 'down']);
  await eventually(
    () => stateOf('b1'),
    (state) => state === 'forwarding',
  );
  assert.equal((await lan.stop()).status, 0);
});

test('of two tunnels between two switches with spanning tree one forwards, and the other takes over', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { leftSwitch, rightSwitch, right } = await joinPair(pair);
  await leftSwitch.done('setnet', 'default', '--stp', 'on', '--priority', '4096');
  await rightSwitch.done('setnet', 'default', '--stp', 'on');
  await rightSwitch.done('addport', 'client', `ws://${LEFT.v4}:8000/`, '--path-cost', '300000');
  // Port 1 is a TAP device, 2 and 3 are the tunnels. The first one is the cheaper one, whatever its round trip is.
  await rightSwitch.done('setport', '2', '--path-cost', '20000');
  const settled = ['designated forwarding', 'root forwarding', 'alternate discarding'];
  await eventually(
    () => rolesOf(rightSwitch),
    (roles) => roles.join() === settled.join(),
  );
  assert.deepEqual(
    (await rightSwitch.ports()).map(({ state }) => state),
    ['up', 'up', 'discarding'],
  );
  const ping = ['ping', '-c', '1', '-W', '1', LEFT_TAP.v4];
  await eventually(
    () => right.run(ping),
    ({ status }) => status === 0,
  );

  await rightSwitch.done('delport', '2');
  const { status } = await right.run(ping);
  assert.equal(status, 0, 'within the second of one ping');
  assert.deepEqual(await rolesOf(rightSwitch), ['designated forwarding', 'root forwarding']);
});

test('the commands of the page work, and show the table of the page', async (t) => {
  const lab = await openTapLab(t, 'ip');
  if (lab === undefined) return;
  const page = readFileSync('docs/operate/spanning-tree.md', 'utf8');
  const [, commands = '', table = ''] = /```sh\n([\s\S]*?)```\n\n```\n([\s\S]*?)```/.exec(page) ?? [];
  const host = await lab.host('lan');
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  await lan.done('addport', 'tap', 'one0');
  await lan.done('addport', 'tap', 'two0');
  const words = ETHERWS.map((word) => `'${word}'`).join(' ');
  const printed = await host.check(['bash', '-c', commands.replaceAll('etherws ctl', `${words} ctl`)]);
  // Behind the table of setnet.
  const shown = printed.slice(printed.indexOf('Network default:'));
  const linesOf = (text: string) => text.trimEnd().split('\n');
  const titles = (text: string) => linesOf(text)[2]?.trim().split(/\s+/);
  assert.deepEqual(titles(shown), titles(table));
  assert.equal(linesOf(shown).length, linesOf(table).length);
  assert.match(shown, /^Network default: bridge 1000\.[0-9a-f:]{17}, this bridge is the root\n/);
  const { status, stderr } = await lan.ctl(['setnet', 'default', '--max-age', '40']);
  assert.equal(status, 1);
  assert.match(stderr, /max-age 40 is above 2 × \(forward-delay 15 − 1\)/);
});
