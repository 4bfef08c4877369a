import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ETHERWS } from '../support/etherws.ts';
import { ask } from '../support/http.ts';
import { Process, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

/*
 * Sockets that a service manager has opened: LISTEN_FDS and LISTEN_FDNAMES.
 */

const PROGRAM = fileURLToPath(new URL('../../../test/e2e/programs/service_manager.py', import.meta.url));
const SW = [...ETHERWS, 'sw', '--foreground', '--logformat', 'text'];
/** Options whose addresses cannot be used: no host has the address. */
const NOWHERE = ['--host', '192.0.2.1', '--port', '1', '--ctlhost', '192.0.2.1', '--ctlport', '2'];
const skip = missingTools('python3');

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-activation-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** @param sockets the arguments of service_manager.py; the part of a key before `#` is the socket's name */
function start(t: TestContext, sockets: Readonly<Record<string, string>>, sw: readonly string[], env = {}): Process {
  const names = Object.keys(sockets).map((name) => name.replace(/#.*/, ''));
  const command = ['python3', PROGRAM, 'pass', names.join(':'), ...Object.values(sockets), '--', ...sw];
  const running = new Process(command, { env });
  t.after(() => running.end());
  return running;
}

const portsOf = (text: string): number[] => [...text.matchAll(/^port (\d+)$/gm)].map(([, port]) => Number(port));

test('all three sockets are used in place of the addresses of the options', { skip }, async (t) => {
  const path = join(directoryFor(t), 'control.sock');
  const sockets = { 'control-socket': `unix=${path}`, control: 'tcp=', tunnels: 'tcp=' };
  const running = start(t, sockets, [...SW, ...NOWHERE]);
  await running.output(/ready/);
  const [control = 0, tunnels = 0] = portsOf(running.stdout);
  assert.match(running.stderr, new RegExp(`listening.*"service":"tunnels".*"port":${tunnels},`));
  assert.match(running.stderr, new RegExp(`listening.*"service":"control".*"port":${control},`));
  assert.match(running.stderr, new RegExp(`listening.*"socket":"${path}"`));
  assert.equal((await ask({ port: tunnels, path: '/', method: 'GET' })).status, 426);
  for (const url of [`http://127.0.0.1:${control}/ctl`, `unix:${path}`]) {
    const { status, stderr } = await run([...ETHERWS, 'ctl', '--ctlurl', url, 'listport']);
    assert.equal(status, 0, stderr);
  }
  running.signal('SIGTERM');
  assert.equal((await running.exited).status, 0);
  assert.ok(statSync(path).isSocket(), 'it is the service manager that removes it');
});

test('two services on one address are served on the socket of the tunnels', { skip }, async (t) => {
  const shared = ['--host', '127.0.0.1', '--ctlhost', '127.0.0.1', '--port', '7867'];
  const running = start(t, { tunnels: 'tcp=' }, [...SW, ...shared]);
  await running.output(/ready/);
  const [port = 0] = portsOf(running.stdout);
  assert.equal((await ask({ port, path: '/', method: 'GET' })).status, 426);
  assert.equal((await ask({ port, path: '/ctl', method: 'GET' })).status, 405);
});

test('a control API that the socket opens to other hosts is warned of, whatever the option says', {
  skip,
}, async (t) => {
  for (const [place, host, isWarned] of [
    ['0.0.0.0', '127.0.0.1', true],
    ['127.0.0.1', '', false],
  ] as const) {
    const options = ['--host', '127.0.0.1', '--port', '0', '--ctlhost', host];
    const running = start(t, { control: `tcp=${place}` }, [...SW, ...options]);
    await running.output(/ready/);
    assert.equal(/listens beyond this host/.test(running.stderr), isWarned);
  }
});

test('sockets for another process are none of ours', { skip }, async (t) => {
  const options = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
  const running = start(t, { nonsense: 'tcp=' }, [...SW, ...options], { PASS_PID: '1' });
  await running.output(/ready/);
});

test('what does not fit is an error in words, and nothing is started', { skip }, async (t) => {
  const directory = directoryFor(t);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const shared = [...SW, '--host', '127.0.0.1', '--port', '7867'];
  const socketOnly = [...SW, '--no-ctl-tcp', '--ctlsocket', join(directory, 'own.sock')];
  const cases: (readonly [Record<string, string>, RegExp, ...(readonly string[])])[] = [
    [{ web: 'tcp=' }, /named "web", which is none of tunnels, control, control-socket/],
    [{ tunnels: 'tcp=', 'tunnels#2': 'tcp=' }, /Two sockets are named "tunnels"/],
    [{ tunnels: `file=${file}` }, /Descriptor 3, which should be the socket "tunnels", is no socket/],
    [{ tunnels: `unix=${join(directory, 'a')}` }, /no listening TCP socket/],
    [{ tunnels: 'datagram=' }, /no listening TCP socket/],
    [{ control: 'connected=' }, /no listening TCP socket/],
    [{ 'control-socket': 'tcp=' }, /"control-socket" .* no listening Unix socket/],
    [{ 'control-socket': `file=${file}` }, /is no socket/],
    [{ tunnels: 'tcp=' }, /a daemon in the background does not inherit them/, ...ETHERWS, 'sw'],
    [{ tunnels: 'tcp=', control: 'tcp=' }, /share host and port/, ...shared, '--ctlhost', '127.0.0.1'],
    [{ control: 'tcp=' }, /--no-ctl-tcp/, ...socketOnly],
  ];
  const loopback = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
  for (const [sockets, words, ...sw] of cases) {
    const { status, stderr } = await start(t, sockets, sw.length > 0 ? sw : [...SW, ...loopback]).exited;
    assert.match(stderr, words);
    assert.match(stderr, /\(LISTEN_FAILED\)\n {2}\S/, 'it says what to try');
    assert.doesNotMatch(stderr, /\bat .*\.js:/);
    assert.equal(status, 1);
  }
  const names = ['python3', PROGRAM, 'pass', 'tunnels:control', 'tcp=', '--', ...SW];
  const { stderr } = await run(names);
  assert.match(stderr, /LISTEN_FDS says 1, but LISTEN_FDNAMES has 2 \(tunnels, control\)/);
});
