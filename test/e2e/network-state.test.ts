import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { ConfigEntry, MdbEntry, NetworkEntry } from '../../src/control/schema.ts';
import { ETHERWS } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/*
 * A switch starts again with any state that its calls have led to, also beside a file that was edited meanwhile.
 */

const directory = mkdtempSync(join(tmpdir(), 'etherws-network-state-'));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

async function networksOf(lan: SwitchProcess): Promise<readonly NetworkEntry[]> {
  return (await lan.call<{ entries: NetworkEntry[] }>('listNet')).entries;
}

async function restarted(t: TestContext, lan: SwitchProcess, options: readonly string[]): Promise<SwitchProcess> {
  lan.process.signal('SIGKILL');
  await lan.process.exited;
  return SwitchProcess.start(t, options);
}

const port = (name: string, network: string): string =>
  `  - {type: client, target: "ws://127.0.0.1:9/${name}", name: ${name}, network: ${network}}\n`;

/** The parameters of a client port that dials in vain. */
function dialler(name: string, network: string): object {
  return { type: 'client', target: 'ws://127.0.0.1:9/', name, network, options: { wait: false } };
}

test('times of a spanning tree that do not fit are told with their place, before the switch starts', async () => {
  const wrong = file('times.yaml', 'networks:\n  - {name: lab}\n  - {name: home, max-age: 40}\n');
  const { status, stdout, stderr } = await run([...ETHERWS, 'check', wrong]);
  assert.notEqual(status, 0);
  assert.match(stdout + stderr, /times\.yaml:3:\d+: .*max-age 40 is above 2 × \(forward-delay 15 − 1\)/);
});

test('times that calls have changed, and that do not fit to those of an edited file, are lost; the switch starts', async (t) => {
  const config = file('fit.yaml', 'networks:\n  - {name: lab, forward-delay: 30}\n');
  const options = ['--config', config, '--state', join(directory, 'fit')];
  let lan = await SwitchProcess.start(t, options);
  await lan.call('setNet', { network: 'lab', maxAge: 40 });
  file('fit.yaml', 'networks:\n  - {name: lab, ageout: 7}\n');
  lan = await restarted(t, lan, options);
  const lab = (await networksOf(lan)).find(({ network }) => network === 'lab');
  const { maxAge, ageout } = lab?.settings ?? {};
  assert.deepEqual([maxAge, ageout, lab?.config], [20, 7, 'file']);
});

test('a network that a call has removed is there again if the edited file has a new port in it', async (t) => {
  const config = file('again.yaml', `networks:\n  - {name: lab}\nports:\n${port('one', 'lab')}`);
  const options = ['--config', config, '--state', join(directory, 'again')];
  let lan = await SwitchProcess.start(t, options);
  await lan.call('delNet', { network: 'lab', force: true });
  file('again.yaml', `networks:\n  - {name: lab}\nports:\n${port('one', 'lab')}${port('two', 'lab')}`);
  lan = await restarted(t, lan, options);
  assert.deepEqual(
    (await lan.ports()).map(({ name, network }) => `${name} ${network}`),
    ['two lab'],
  );
});

test('a port takes 1024 static addresses, by addfdb, too, so that the state can be read again', async (t) => {
  const options = ['--state', join(directory, 'addresses')];
  let lan = await SwitchProcess.start(t, options);
  await lan.call('addPort', dialler('one', 'default'));
  const address = (n: number): string =>
    `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
  await lan.call('setPort', { port: 'one', fdb: Array.from({ length: 1024 }, (_, at) => address(at)) });
  await lan.call('addFdb', { mac: address(5), port: 'one' });
  await assert.rejects(lan.call('addFdb', { mac: address(1024), port: 'one' }), /1024/);
  lan = await restarted(t, lan, options);
  assert.equal((await lan.ports()).length, 1);
});

test('a membership in a group that addmdb has set is there again, and in the saved configuration', async (t) => {
  const options = ['--state', join(directory, 'groups')];
  let lan = await SwitchProcess.start(t, options);
  await lan.call('setNet', { network: 'default', multicastSnooping: 'on' });
  await lan.call('addPort', dialler('one', 'default'));
  for (const vid of [0, 10]) await lan.call('addMdb', { group: 'FF05::5', port: 'one', vid });
  await lan.call('delMdb', { group: 'ff05::5', port: 'one' });
  lan = await restarted(t, lan, options);
  const { entries } = await lan.call<{ entries: MdbEntry[] }>('listMdb');
  assert.deepEqual(
    entries.filter(({ kind }) => kind === 'member').map(({ vid, address, state }) => [vid, address, state]),
    [[10, 'ff05::5', 'permanent']],
  );
  const config = await lan.call<{ entries: ConfigEntry[] }>('getConfig');
  assert.match(config.entries[0]?.text ?? '', /ff05::5@10/);
});

test('a network made by a tunnel stays when a call adds a port to it', async (t) => {
  const options = ['--auto-net', '--state', join(directory, 'room')];
  let lan = await SwitchProcess.start(t, options);
  const socket = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/room`, { perMessageDeflate: false });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  await lan.call('addPort', dialler('one', 'room'));

  const { entries } = await lan.call<{ entries: ConfigEntry[] }>('getConfig');
  const checked = await run([...ETHERWS, 'check', file('room.yaml', entries[0]?.text ?? '')]);
  assert.deepEqual([checked.status, checked.stderr], [0, ''], checked.stdout);

  socket.close();
  await once(socket, 'close');
  lan = await restarted(t, lan, options);
  assert.deepEqual(
    (await lan.ports()).map(({ name, network }) => `${name} ${network}`),
    ['one room'],
  );
  const last = await lan.call<{ entries: NetworkEntry[] }>('delNet', { network: 'room', force: true });
  assert.equal(last.entries[0]?.ports, 1);
  assert.deepEqual(
    (await networksOf(lan)).map(({ network }) => network),
    ['default'],
  );
});

test('the port of a tunnel has its settings again behind a restart, before its client is back', async (t) => {
  const options = ['--state', join(directory, 'settings')];
  let lan = await SwitchProcess.start(t, options);
  const headers = { 'Etherws-Wire': '1', 'Etherws-Resume': '1' };
  const socket = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`, { headers, perMessageDeflate: false });
  t.after(() => socket.terminate());
  socket.on('error', () => undefined);
  await once(socket, 'open');
  const settings = { isolated: true, locked: true, fdb: ['02:00:00:00:00:01@7'], macLimit: 3, rootGuard: true };
  await lan.call('setPort', { port: 1, name: 'ann', ...settings });
  lan = await restarted(t, lan, options);
  assert.deepEqual(
    (await lan.ports()).map(({ name, state, settings: now }) => [name, state, now]),
    [['ann', 'away', settings]],
  );
});

test('a reload whose state cannot be written is in force as a whole, as its error says', async (t) => {
  const config = file('full.yaml', `networks:\n  - {name: lab}\nports:\n${port('one', 'lab')}`);
  const place = mkdtempSync(join(tmpdir(), 'etherws-full-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const lan = await SwitchProcess.start(t, ['--config', config, '--state', join(place, 'state')]);
  rmSync(place, { recursive: true });
  file('full.yaml', `ageout: 7\nnetworks:\n  - {name: home}\nports:\n${port('one', 'home')}`);
  await assert.rejects(lan.call('reload'), /FILE_UNWRITABLE.*in force/);
  assert.deepEqual(
    (await networksOf(lan)).map(({ network, ports }) => `${network} ${ports}`),
    ['default 0', 'home 1'],
  );
  assert.deepEqual(await lan.call('planReload'), { entries: [] });
});
