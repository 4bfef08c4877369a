import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { NetworkEntry, PlanEntry, PortEntry, PortPage } from '../../src/control/schema.ts';
import { BRIDGE_PORT_OPTIONS, type BridgePortValues } from '../../src/schema/bridge-port-options.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { SETTING_SAMPLES } from '../support/setting-samples.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/*
 * The ports of accepted tunnels have settings from the start: of the policy, of their network, of the switch.
 */

const directory = mkdtempSync(join(tmpdir(), 'etherws-tunnel-settings-'));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, `${name}.new`), text);
  renameSync(join(directory, `${name}.new`), join(directory, name));
  return join(directory, name);
}

const htpasswd = file('users', ['ada', 'eve'].map((user) => `${user}:{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=\n`).join(''));

/** A switch that dials the relay as a user; its port there returns after a restart. */
async function dial(t: TestContext, relay: SwitchProcess, user: string, network = ''): Promise<SwitchProcess> {
  const dialler = await SwitchProcess.start(t);
  const target = `ws://127.0.0.1:${relay.tunnelPort}/${network}`;
  await dialler.call('addPort', { type: 'client', target, options: { user, passwd: 'hello', reconnectMin: 0.1 } });
  return dialler;
}

async function settingsOf(relay: SwitchProcess, number = 1): Promise<PortEntry['settings'] | undefined> {
  return (await relay.ports()).find(({ port }) => port === number)?.settings;
}

const TOLD = Object.fromEntries(
  Object.entries(SETTING_SAMPLES).map(([key, [, value]]) => [key, value]),
) as BridgePortValues;

/** The same with the keys of a file. */
const IN_FILE = Object.fromEntries(
  Object.entries(TOLD).map(([key, value]) => [key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value]),
);

const TYPED = Object.entries(SETTING_SAMPLES).flatMap(([key, [typed]]) => [
  '--tunnel-setting',
  `${BRIDGE_PORT_OPTIONS[key as keyof typeof SETTING_SAMPLES].flag.slice(2)}=${typed}`,
]);

test('every setting of a port can be that of a user, of a network, and of the switch', async (t) => {
  await t.test('of a user, by the policy', async (t) => {
    const policy = file('every', stringify({ users: { eve: { tunnels: { settings: IN_FILE } } } }));
    const relay = await SwitchProcess.start(t, ['--htpasswd', htpasswd, '--policy', policy]);
    await dial(t, relay, 'eve');
    assert.deepEqual(await settingsOf(relay), TOLD);
    await dial(t, relay, 'ada');
    assert.deepEqual(await settingsOf(relay, 2), {}, 'only hers');
  });

  await t.test('of the switch, on its command line', async (t) => {
    const relay = await SwitchProcess.start(t, TYPED);
    await dial(t, relay, 'eve');
    assert.deepEqual(await settingsOf(relay), TOLD);
    await relay.call('addPort', { type: 'client', target: 'ws://127.0.0.1:9/', options: { wait: false } });
    assert.deepEqual(await settingsOf(relay, 2), {}, 'the port that this switch dials has none of them');
  });

  await t.test('of a network, by setnet', async (t) => {
    const relay = await SwitchProcess.start(t);
    await dial(t, relay, 'eve');
    const url = ['--ctlurl', `http://127.0.0.1:${relay.controlPort}/ctl`];
    const { status, stderr } = await run([...ETHERWS, 'ctl', ...url, 'setnet', 'default', ...TYPED]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(await settingsOf(relay), TOLD);
    const { stdout } = await run([...ETHERWS, 'ctl', ...url, 'listnet', '--long']);
    assert.match(stdout, /tunnel-setting isolated=1,/);
    assert.equal((await run([...ETHERWS, 'ctl', ...url, 'setnet', 'default', '--tunnel-setting', 'none'])).status, 0);
    assert.deepEqual(await settingsOf(relay), {});
  });
});

test('setport has precedence over the policy, that over the network, that over the switch, also after a restart', async (t) => {
  const settings = (text: string): string => `users:\n  eve:\n    tunnels: {settings: ${text}}\n`;
  const policy = file('order', settings('{mac-limit: 3, mac-limit-action: shut, isolated: false}'));
  const config = (ofSwitch: string, ofNetwork: string): string =>
    `tunnels: {htpasswd: ${htpasswd}, settings: ${ofSwitch}}
policy: ${policy}
networks:
  - {name: lab, tunnel-settings: ${ofNetwork}, stp: off}
`;
  const path = file('order.yaml', config('{mac-limit: 1, isolated: true, learning: false}', '{mac-limit: 2, pvid: 7}'));
  const state = join(directory, 'order-state');
  const command = ['--config', path, '--state', state];
  let relay = await SwitchProcess.start(t, command);
  const dialler = await dial(t, relay, 'eve', 'lab');
  const start = { macLimit: 3, macLimitAction: 'shut', learning: false, pvid: 7 };
  assert.deepEqual(await settingsOf(relay), start);
  const kept = (): { settings?: unknown }[] =>
    (JSON.parse(readFileSync(state, 'utf8')) as { sections: { tunnels?: { settings?: unknown }[] } }).sections
      .tunnels ?? [];
  await eventually(
    async () => kept(),
    ({ length }) => length === 1,
  );
  assert.equal(kept()[0]?.settings, undefined, 'what others say is not kept as its own');

  await relay.call('setPort', { port: 1, learning: true, macLimit: 4, fastLeave: true });
  const own = { macLimit: 4, macLimitAction: 'shut', pvid: 7, fastLeave: true };
  assert.deepEqual(await settingsOf(relay), own);
  const inherited = async (): Promise<string[] | undefined> =>
    (await relay.call<{ entries: PortPage[] }>('getPort', { port: 1 })).entries[0]?.inherited.toSorted();
  assert.deepEqual(await inherited(), ['macLimitAction', 'pvid']);
  await eventually(
    async () => kept()[0]?.settings,
    (settings) => JSON.stringify(settings) === JSON.stringify({ fastLeave: true, learning: true, macLimit: 4 }),
  );

  await t.test('a changed policy applies at once to what the port has not for itself', async () => {
    file('order', settings('{mac-limit: 9, pvid: 8}'));
    await eventually(
      () => settingsOf(relay),
      (now) => now?.['pvid'] === 8,
    );
    assert.deepEqual(await settingsOf(relay), { macLimit: 4, pvid: 8, fastLeave: true, isolated: true });
  });

  await t.test('so does a changed network, and a changed switch, on a reload', async () => {
    file('order.yaml', config('{lldp: rx}', '{edge: on, pvid: 9}'));
    const { entries } = await relay.call<{ entries: PlanEntry[] }>('reload');
    assert.deepEqual(
      entries.map(({ error }) => error),
      entries.map(() => null),
    );
    assert.deepEqual(await settingsOf(relay), { macLimit: 4, pvid: 8, fastLeave: true, lldp: 'rx', edge: 'on' });
  });

  await t.test('and the port has the same after a restart', async () => {
    const port = relay.tunnelPort;
    relay.process.signal('SIGKILL');
    await relay.process.exited;
    relay = await SwitchProcess.start(t, [...command, '--port', String(port)]);
    assert.deepEqual(await settingsOf(relay), { macLimit: 4, pvid: 8, fastLeave: true, lldp: 'rx', edge: 'on' });
    assert.deepEqual(await inherited(), ['edge', 'lldp', 'pvid']);
    await eventually(
      async () => (await relay.ports())[0]?.state,
      (now) => now === 'up',
    );
  });
  await dialler.process.end();

  await t.test('giving the value of the others resets a setting', async () => {
    await relay.call('setPort', { port: 1, macLimit: 9, learning: true, fastLeave: false });
    assert.deepEqual(await settingsOf(relay), { macLimit: 9, pvid: 8, lldp: 'rx', edge: 'on' });
    assert.deepEqual(await inherited(), ['edge', 'lldp', 'macLimit', 'pvid']);
  });

  await t.test('save writes what the network has', async () => {
    const [entry] = (await relay.call<{ entries: { text: string }[] }>('getConfig')).entries;
    assert.match(entry?.text ?? '', /tunnel-settings:\n {6}pvid: 9\n {6}edge: on/);
  });
});

test('a setting that is none is told with its place', async () => {
  const check = async (name: string, text: string): Promise<string> => {
    const { stdout, stderr } = await run([...ETHERWS, 'check', file(name, text)]);
    return stdout + stderr;
  };
  assert.match(
    await check('wrong.yaml', 'networks:\n  - name: lab\n    tunnel-settings: {mac-limit: many}\n'),
    /wrong\.yaml:3:\d+: .*mac-limit must be a whole number, got "many"/,
  );
  assert.match(await check('typo.yaml', 'tunnels:\n  settings: {isolate: true}\n'), /typo\.yaml:2:\d+: .*isolate/);
  for (const [text, message] of [
    [
      '{pvid: 4095}',
      /policy:1:\d+: users\.eve\.tunnels\.settings\.pvid must be a whole number from 1 to 4094, got 4095/,
    ],
    ['{macLimit: 4}', /policy:1:\d+: .*macLimit is not known here; there are isolated, .*mac-limit/],
    ['[isolated]', /policy:1:\d+: .*settings must be a mapping/],
  ] as const) {
    const policy = file('policy', `users: {eve: {tunnels: {settings: ${text}}}}\n`);
    const { stderr } = await run([
      ...ETHERWS,
      'sw',
      '--foreground',
      '--port',
      '0',
      '--ctlport',
      '0',
      '--policy',
      policy,
    ]);
    assert.match(stderr, message);
  }
  for (const [typed, message] of [
    ['isolated', /--tunnel-setting 'isolated' is no NAME=VALUE/],
    ['alone=1', /there is no setting 'alone'.*isolated, /s],
    ['isolate=1', /there is no setting 'isolate'.*Did you mean isolated\?/s],
    ['mac-limit=-1', /--tunnel-setting mac-limit .*-1/],
  ] as const) {
    const { status, stderr } = await run([...ETHERWS, 'ctl', 'setnet', 'lab', '--tunnel-setting', typed]);
    assert.equal(status, 2, typed);
    assert.match(stderr, message);
  }
});

test('the first frame of a tunnel meets its settings', async (t) => {
  const policy = file('first', 'users:\n  ada: {tunnels: {settings: {isolated: false}}}\n');
  const relay = await SwitchProcess.start(t, [
    ...['--htpasswd', htpasswd, '--policy', policy, '--tunnel-setting', 'isolated=1'],
  ]);
  const enter = (user: string, frame?: Buffer): TunnelSocket => {
    const headers = { Authorization: `Basic ${Buffer.from(`${user}:hello`).toString('base64')}` };
    const tunnel = new TunnelSocket(`ws://127.0.0.1:${relay.tunnelPort}/`, { headers });
    t.after(() => tunnel.terminate());
    if (frame !== undefined) tunnel.once('open', () => tunnel.send(frame));
    return tunnel;
  };
  const marks: Record<string, number[]> = { ada: [], eve: [] };
  for (const user of ['ada', 'eve']) {
    const tunnel = enter(user);
    tunnel.on('message', (bytes: Buffer) => marks[user]?.push(bytes[20] ?? -1));
    await once(tunnel, 'open');
  }
  const broadcast = (mark: number): Buffer => {
    const bytes = Buffer.alloc(60);
    bytes.fill(0xff, 0, 6);
    bytes.writeUIntBE(0x0200_0000_0000 + mark, 6, 6);
    bytes.writeUInt16BE(0x88b5, 12);
    bytes[20] = mark;
    return bytes;
  };
  for (let mark = 1; mark <= 20; mark++) enter('eve', broadcast(mark));
  await eventually(
    async () => marks['ada']?.length,
    (arrived) => arrived === 20,
  );
  // The last one is from a port that is not isolated, so what was to come before it has come.
  enter('ada', broadcast(99));
  await eventually(
    async () => marks['eve']?.includes(99),
    (arrived) => arrived === true,
  );
  assert.deepEqual(marks['eve'], [99], 'isolated ports exchange not even the first frame');
});

test('an automatic network has the settings of the switch', async (t) => {
  const relay = await SwitchProcess.start(t, ['--auto-net', '3', '--tunnel-setting', 'isolated=1']);
  await dial(t, relay, 'eve', 'room');
  assert.deepEqual(await settingsOf(relay), { isolated: true });
  const { entries } = await relay.call<{ entries: NetworkEntry[] }>('listNet');
  assert.deepEqual(entries.find(({ network }) => network === 'room')?.settings['tunnelSettings'], {});
});
