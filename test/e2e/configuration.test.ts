import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority } from '../support/certificates.ts';
import { ETHERWS, EtherwsSwitch } from '../support/etherws.ts';
import { fencedBlocks } from '../support/fenced-blocks.ts';
import { openTapLab } from '../support/lab-test.ts';
import { run } from '../support/process.ts';

const PAGE = 'docs/operate/configuration.md';
const EXAMPLE = fencedBlocks(PAGE).find(({ language }) => language === 'yaml')?.text ?? '';
/** The file `users` of the example: ann, with the password `secret`. */
const USERS = 'ann:$apr1$SHP6nwZM$P9gF.vV.VUDWVgPpOM7hX.\n';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-configuration-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Writes the example of the page with all files that it names. @returns its path */
async function writeExample(directory: string): Promise<string> {
  const authority = await createAuthority(directory);
  const { key, certificate } = await authority.issue('relay', ['localhost']);
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  mkdirSync(join(directory, 'ports.d'));
  write('ports.d/more.yaml', 'ports: [{type: tap, target: more0, name: more}]');
  write('users', USERS);
  write('policy.yaml', 'default: {control: {methods: all}}');
  write('relay.password', 'secret\n');
  const text = EXAMPLE.replace('key.pem', key).replace('cert.pem', certificate);
  return write('etherws.yaml', text);
}

test('the example of the page is valid, and runs as it stands there', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const directory = directoryFor(t);
  const file = await writeExample(directory);
  const host = await lab.host('host');

  const checked = await host.run([...ETHERWS, 'check', file]);
  assert.deepEqual([checked.status, checked.stdout, checked.stderr], [0, `${file} is valid; it has 3 ports\n`, '']);

  const socket = ['--ctlurl', `unix:${join(directory, 'control.sock')}`];
  const running = await EtherwsSwitch.start(host, ['--config', file], socket);
  const ports = (await running.ports()).map(({ type, target, name, description, shut }) => [
    type,
    target,
    name,
    description,
    shut,
  ]);
  assert.deepEqual(ports, [
    ['tap', 'lab0', 'lab', 'bench in room 4', false],
    ['client', 'wss://relay.example/', 'uplink', null, true],
    ['tap', 'more0', 'more', null, false],
  ]);
  const [device] = await running.interfaces();
  assert.ok(device?.addresses.includes('192.0.2.1/24'), JSON.stringify(device));
  assert.equal(device?.mtu, 1400);
  assert.match(
    running.process.stderr,
    /INFO.*listening \{.*"service":"tunnels".*"tls":true/,
    'text, and TLS, as the file says',
  );
  const { status } = await running.stop();
  assert.equal(status, 0);
});

test('what the command line has overrides the file', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const directory = directoryFor(t);
  const file = await writeExample(directory);
  const host = await lab.host('host');
  const socket = join(directory, 'other.sock');
  const running = await EtherwsSwitch.start(
    host,
    ['--config', file, '--ctlsocket', socket, '--logformat', 'json', '--path', '/typed'],
    ['--ctlurl', `unix:${socket}`],
  );
  assert.equal((await running.ports()).length, 3);
  assert.match(running.process.stderr, /"path":"\/typed".*"msg":"listening"/);
  assert.doesNotMatch(running.process.stderr, /^[^{]/m, 'all of it is JSON');
});

test('a switch whose ports cannot all be had does not start, says which one, and leaves none', async (t) => {
  const lab = await openTapLab(t);
  if (lab === undefined) return;
  const file = join(directoryFor(t), 'etherws.yaml');
  writeFileSync(
    file,
    'tunnels: {host: 127.0.0.1, port: 0}\ncontrol: {port: 0}\nports:\n  - {type: tap, target: first0}\n  - {type: netdev, target: absent0}\n',
  );
  const host = await lab.host('host');
  const { status, stderr } = await host.run([...ETHERWS, 'sw', '--foreground', '--config', file]);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`${file}:5:5: .*absent0.*\\(DEVICE_NOT_FOUND\\)`));
  assert.equal((await host.run(['ip', 'link', 'show', 'dev', 'first0'])).status, 1, 'a device was left');
});

test('etherws check and sw tell all errors of a file, and exit with 1; a wrong command line is 2', async (t) => {
  const file = join(directoryFor(t), 'etherws.yaml');
  writeFileSync(file, 'ageuot: 300\ntunnels:\n  path: x\n  port: 70000\n');
  const lines = [
    `${file}:1:1: unknown key "ageuot": did you mean ageout?`,
    `${file}:3:9: tunnels.path must begin with "/", got "x"`,
    `${file}:4:9: tunnels.port must be a whole number from 0 to 65535, got 70000`,
    `${file} has 3 errors (CONFIG_INVALID)`,
  ];
  for (const words of [
    ['check', file],
    ['sw', '--config', file],
  ]) {
    const { status, stdout, stderr } = await run([...ETHERWS, ...words]);
    assert.deepEqual([status, stdout, stderr.trimEnd().split('\n')], [1, '', lines]);
  }
  assert.equal((await run([...ETHERWS, 'check', join(file, 'none')])).status, 1);
  assert.equal((await run([...ETHERWS, 'check'])).status, 2);
  const typed = await run([...ETHERWS, 'sw', '--config', '/dev/null', '--port', 'x']);
  assert.deepEqual(
    [typed.status, typed.stderr],
    [2, 'error: --port must be a whole number from 0 to 65535, got "x"\n'],
  );
});
