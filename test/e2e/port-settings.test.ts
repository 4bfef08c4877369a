import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PlanEntry } from '../../src/control/schema.ts';
import { BRIDGE_PORT_OPTIONS } from '../../src/schema/bridge-port-options.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { SETTING_SAMPLES as SAMPLES } from '../support/setting-samples.ts';

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
