import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PlanEntry } from '../../src/control/schema.ts';
import { BRIDGE_PORT_OPTIONS, type BridgePortValues } from '../../src/schema/bridge-port-options.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';

/** For each setting: a value that is not the default, as it is typed, and as it is told. */
const SAMPLES: { readonly [K in keyof Required<BridgePortValues>]: readonly [typed: string, told: unknown] } = {
  isolated: ['1', true],
  multicastRouter: ['on', 'on'],
  fastLeave: ['1', true],
  lldp: ['rx', 'rx'],
  mirrorTo: ['9', '9'],
  mirrorDir: ['rx', 'rx'],
  mirrorVlans: ['10,20-30', '10,20-30'],
  multicastLimit: ['7', 7],
  vlanMode: ['native', 'native'],
  pvid: ['10', 10],
  vlans: ['40,20,30-39', '20,30-40'],
  ethertype: ['88a8', '88a8'],
  learning: ['0', false],
  locked: ['1', true],
  macLimit: ['3', 3],
  macLimitAction: ['shut', 'shut'],
  fdb: ['02:00:00:00:00:0A@7', ['02:00:00:00:00:0a@7']],
  floodUnicast: ['0', false],
  floodMulticast: ['0', false],
  floodBroadcast: ['0', false],
  storm: ['broadcast=7,unicast=none', 'broadcast=7,multicast=20000,unicast=none'],
  dhcpGuard: ['1', true],
  raGuard: ['1', true],
  dhcpTrusted: ['1', true],
  ipSourceGuard: ['1', true],
  ipBindings: ['192.0.2.5=02:00:00:00:00:01', ['192.0.2.5=02:00:00:00:00:01']],
  pathCost: ['2000', 2000],
  portPriority: ['64', 64],
  edge: ['off', 'off'],
  pointToPoint: ['off', 'off'],
  bpduGuard: ['1', true],
  rootGuard: ['1', true],
  bpduFilter: ['1', true],
};

const HEAD = 'tunnels: {host: 127.0.0.1, port: 0}\ncontrol: {port: 7867}\n';

test('every setting of a port is changed, kept, saved, shown, and put back by a reload', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'etherws-settings-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [file, state, saved] = ['etherws.yaml', 'state', 'saved.yaml'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const port = '  - {type: tap, target: one0, name: one}\n';
  writeFileSync(file, `${HEAD}ports:\n${port}`);
  const host = await lab.host('host');
  const options = ['--config', file, '--state', state];
  let running = await EtherwsSwitch.start(host, options);
  const flags = Object.entries(SAMPLES).flatMap(([key, [typed]]) => [
    BRIDGE_PORT_OPTIONS[key as keyof typeof SAMPLES].flag,
    typed,
  ]);
  const told = Object.fromEntries(Object.entries(SAMPLES).map(([key, [, value]]) => [key, value]));

  await running.done('setport', 'one', ...flags);
  await running.done('addport', 'tap', 'two0', ...flags);
  const settings = async (): Promise<unknown[]> =>
    (await running.ports()).map((entry) => [entry.target, entry.config, entry.settings]);
  const expected = [
    ['one0', 'changed', told],
    ['two0', 'added', told],
  ];
  assert.deepEqual(await settings(), expected);
  const shown = await running.done('show', 'one');
  for (const key of Object.keys(SAMPLES))
    assert.ok(shown.includes(BRIDGE_PORT_OPTIONS[key as keyof typeof SAMPLES].flag), key);

  await running.stop('SIGKILL');
  running = await EtherwsSwitch.start(host, options);
  assert.deepEqual(await settings(), expected, 'kept by --state');
  await running.done('save', saved);

  const plan = async (...more: readonly string[]): Promise<PlanEntry[]> =>
    (JSON.parse(await running.done('reload', '--json', ...more)) as { entries: PlanEntry[] }).entries;
  const [step] = await plan();
  assert.equal(step?.action, 'change');
  assert.deepEqual(await settings(), [
    ['one0', 'file', {}],
    ['two0', 'added', told],
  ]);
  await running.stop();

  // The saved file wants what was there, and a switch that has its ports already has nothing to do.
  running = await EtherwsSwitch.start(host, ['--config', saved]);
  assert.deepEqual(await settings(), [
    ['one0', 'file', told],
    ['two0', 'file', told],
  ]);
  assert.deepEqual(await plan('--dry-run'), []);
});

test('isolated ports reach the uplink, but not each other', async (t) => {
  const lab = await openTapLab(t, 'ping');
  if (lab === undefined) return;
  const middle = await lab.host('middle');
  const hosts = [];
  for (const [at, name] of ['left', 'right', 'uplink'].entries()) {
    const host = await lab.host(name);
    await lab.link(
      { host, device: 'eth0', addresses: [`192.0.2.${at + 1}/24`] },
      { host: middle, device: `m${at}`, addresses: [] },
    );
    hosts.push(host);
  }
  const running = await EtherwsSwitch.start(middle, ['--host', '127.0.0.1', '--port', '0']);
  await running.done('addport', 'netdev', 'm0', '--isolated', '1');
  await running.done('addport', 'netdev', 'm1', '--isolated', '1');
  await running.done('addport', 'netdev', 'm2');
  const [left, right, uplink] = hosts;
  if (left === undefined || right === undefined || uplink === undefined) return;
  const reaches = async (host: typeof left, to: number): Promise<boolean> =>
    (await host.run(['ping', '-c', '1', '-W', '1', `192.0.2.${to}`])).status === 0;
  for (const [host, to] of [
    [left, 3],
    [right, 3],
    [uplink, 1],
  ] as const) {
    await eventually(() => reaches(host, to), Boolean);
  }
  assert.deepEqual([await reaches(left, 2), await reaches(right, 1)], [false, false]);
  const { isolated = 0 } = (await running.port(2)).txDiscards;
  assert.ok(isolated > 0);
  // Flows exist; the change ends them.
  await running.done('setport', '2', '--isolated', '0');
  // The kernel asks again for an address that did not answer.
  await eventually(() => reaches(left, 2), Boolean);
});
