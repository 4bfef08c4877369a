import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { Process, run } from '../support/process.ts';
import { until } from '../support/waits.ts';

const NOBODY = 65_534;
const HEAD = 'tunnels: {host: 127.0.0.1, port: 0}\n';
const FILE = `${HEAD}ports:
  - {type: tap, target: one0, name: one, addresses: [192.0.2.1/24]}
  - {type: tap, target: two0, name: two}
  - {type: tap, target: three0}
`;

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-state-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Each port with its settings. */
async function settingsOf(running: EtherwsSwitch): Promise<unknown[]> {
  const devices = new Map((await running.interfaces()).map((entry) => [entry.port, entry]));
  return (await running.ports()).map(({ port, type, target, name, description, shut, config }) => {
    const { addresses = [], mtu } = devices.get(port) ?? {};
    const own = addresses.filter((address) => !address.startsWith('fe80:'));
    return [port, type, target, name, description, shut, config, own, mtu];
  });
}

test('what calls change outlives a switch that is killed, with the numbers of ports, until a reload', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const directory = directoryFor(t);
  const [file, state] = [join(directory, 'etherws.yaml'), join(directory, 'state')];
  writeFileSync(file, FILE);
  const host = await lab.host('host');
  const options = ['--config', file, '--state', state];
  let running = await EtherwsSwitch.start(host, options);
  // It is written at the start, once the control API answers.
  await until(() => existsSync(state));
  assert.equal(statSync(state).mode & 0o777, 0o600);

  await running.done('delport', 'two');
  await running.done('setport', 'one', '--name', 'first', '--description', 'the first', '--shut', '1');
  await running.done('setif', 'first', '--address', '198.51.100.1/24', '--mtu', '1400');
  await running.done('addport', 'tap', 'lab%d', '--mac', '02:00:00:00:00:07');
  await running.done('setif', '4', '--address', '10.7.0.1/24');
  await running.done('addport', 'client', 'ws://127.0.0.1:9/', '--no-wait', '--user', 'ann', '--passwd', 'secret-4711');
  await running.done('addport', 'tap', 'gone0');
  await running.done('delport', '6');
  const before = await settingsOf(running);
  assert.deepEqual(before.slice(0, 3), [
    [1, 'tap', 'one0', 'first', 'the first', true, 'changed', ['192.0.2.1/24', '198.51.100.1/24'], 1400],
    [3, 'tap', 'three0', null, null, false, 'file', [], 1500],
    [4, 'tap', 'lab0', null, null, false, 'added', ['10.7.0.1/24'], 1500],
  ]);
  await running.stop('SIGKILL');

  running = await EtherwsSwitch.start(host, options);
  assert.deepEqual(await settingsOf(running), before);
  assert.match(running.process.stderr, /the state differs from the configuration/);
  assert.match(await host.check(['ip', 'link', 'show', 'lab0']), /02:00:00:00:00:07/);
  await running.done('addport', 'tap', 'next0');
  assert.equal((await running.ports()).at(-1)?.port, 7, 'no number is given twice');
  await running.done('delport', '7');

  // A reload restores the file's settings, also in the state file.
  await running.done('reload');
  const after = await settingsOf(running);
  assert.deepEqual(after[0], [1, 'tap', 'one0', 'one', null, false, 'file', ['192.0.2.1/24'], 1500]);
  assert.deepEqual(after.at(-1), [8, 'tap', 'two0', 'two', null, false, 'file', [], 1500]);
  await running.stop('SIGKILL');
  running = await EtherwsSwitch.start(host, options);
  assert.deepEqual(await settingsOf(running), after);

  // A port that a call has added becomes one of the file, and keeps its number.
  await running.stop();
  writeFileSync(file, `${FILE}  - {type: tap, target: lab0, name: lab}\n`);
  running = await EtherwsSwitch.start(host, options);
  const lab0 = (await running.ports()).filter(({ target }) => target === 'lab0');
  assert.deepEqual(
    lab0.map(({ port, name, config }) => [port, name, config]),
    [[4, 'lab', 'file']],
  );
});

test('a switch without a configuration file keeps all of its ports; one that cannot be opened stays in the state', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const state = join(directoryFor(t), 'state');
  const host = await lab.host('host');
  const options = ['--host', '127.0.0.1', '--port', '0', '--state', state];
  let running = await EtherwsSwitch.start(host, options);
  await host.check(['ip', 'link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'peer0']);
  await running.done('addport', 'netdev', 'net0', '--name', 'net');
  await running.done('addport', 'tap', 'one0');
  await running.stop();
  await host.check(['ip', 'link', 'delete', 'net0']);
  running = await EtherwsSwitch.start(host, options);
  assert.match(running.process.stderr, /a port of the state cannot be opened: netdev net0 \(net\)/);
  assert.deepEqual(
    (await running.ports()).map(({ port, target }) => [port, target]),
    [[2, 'one0']],
  );
  await running.done('addport', 'tap', 'two0');
  await running.stop('SIGKILL');
  await host.check(['ip', 'link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'peer0']);
  running = await EtherwsSwitch.start(host, options);
  assert.deepEqual(
    (await running.ports()).map(({ port, target, name }) => [port, target, name]),
    [
      [1, 'net0', 'net'],
      [2, 'one0', null],
      [3, 'two0', null],
    ],
  );
});

test('with --user the file is that of the user', {
  skip: process.getuid?.() === 0 ? false : 'needs root, to become another user',
}, async (t) => {
  const directory = directoryFor(t);
  chownSync(directory, NOBODY, NOBODY);
  const state = join(directory, 'state');
  const socket = join(directory, 'socket');
  const options = ['--host', '127.0.0.1', '--port', '0', '--no-ctl-tcp', '--ctlsocket', socket, '--state', state];
  const running = new Process([...ETHERWS, 'sw', '--foreground', ...options, '--user', 'nobody'], {
    timeoutMs: 60_000,
  });
  t.after(() => running.end());
  await running.output(/ready/);
  const add = ['ctl', '--ctlurl', `unix:${socket}`, 'addport', 'client', 'ws://127.0.0.1:9/', '--no-wait'];
  assert.equal((await run([...ETHERWS, ...add])).stderr, '');
  const { uid, mode } = statSync(state);
  assert.deepEqual([uid, mode & 0o777], [NOBODY, 0o600]);
  assert.match(readFileSync(state, 'utf8'), /127\.0\.0\.1:9/);
});

test('a state that cannot be written or read is told at the start, and a change that is not kept is told to its caller', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const directory = directoryFor(t);
  const host = await lab.host('host');
  const options = (state: string): string[] => ['--host', '127.0.0.1', '--port', '0', '--state', state];
  const refused = async (state: string): Promise<string> => {
    const { status, stderr } = await host.run([...ETHERWS, 'sw', '--foreground', ...options(state)]);
    assert.equal(status, 1, stderr);
    return stderr;
  };
  assert.match(
    await refused(join(directory, 'none', 'state')),
    /The state .* cannot be written \(ENOENT\) \(FILE_UNWRITABLE\)/,
  );
  const strange = join(directory, 'strange');
  writeFileSync(strange, '{"version":1,"sections":{"ports":{"lastNumber":"x"}}}');
  assert.match(await refused(strange), /STATE_INVALID/);
  assert.equal(readFileSync(strange, 'utf8').length, 53, 'it is left as it is');

  // Above 2^53 not all integers can be represented, so two ports would have the same number.
  const ports = { lastNumber: 2 ** 53 - 1, file: {}, removed: [], added: [] };
  writeFileSync(strange, JSON.stringify({ version: 1, sections: { ports } }));
  assert.match(await refused(strange), /ports\.lastNumber 9007199254740991 is outside .*STATE_INVALID/s);

  const own = join(directory, 'own');
  mkdirSync(own);
  const running = await EtherwsSwitch.start(host, options(join(own, 'state')));
  rmSync(own, { recursive: true });
  const { status, stderr } = await running.ctl(['addport', 'tap', 'one0']);
  assert.equal(status, 1);
  assert.match(stderr, /FILE_UNWRITABLE: The change is in force, but a restart will lose it: /);
  mkdirSync(own);
  await running.done('setport', '1', '--name', 'one');
  assert.match(readFileSync(join(own, 'state'), 'utf8'), /"target":"one0","name":"one"/);
});
