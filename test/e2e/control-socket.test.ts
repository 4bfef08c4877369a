import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ETHERWS } from '../support/etherws.ts';
import { htpasswdLine, PASSWORD, USER } from '../support/lan.ts';
import { curl, NOBODY } from '../support/local-caller.ts';
import { type Outcome, Process, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';
import { once } from '../support/waits.ts';

/*
 * --ctlsocket: the control API on a Unix socket.
 */

const LOOPBACK = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
const needsRoot = process.getuid?.() === 0 ? missingTools('curl', 'setpriv') : 'needs root, to be several users';
const URL = 'http://localhost/ctl';

function directoryFor(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-socket-')));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  return directory;
}

async function start(t: TestContext, options: readonly string[], umask = '022'): Promise<Process> {
  const shell = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
  const sw = ['sw', '--foreground', '--logformat', 'text', ...LOOPBACK, ...options];
  const running = new Process([...shell, ...ETHERWS, ...sw], { cwd: '/' });
  t.after(() => running.end());
  await running.output(/ready/);
  return running;
}

async function stop(running: Process): Promise<void> {
  running.signal('SIGTERM');
  const { status, stderr } = await running.exited;
  assert.equal(status, 0, stderr);
}

const ctl = (path: string, ...args: readonly string[]): Promise<Outcome> =>
  run([...ETHERWS, 'ctl', '--ctlurl', `unix:${path}`, ...(args.length === 0 ? ['listport'] : args)]);

function ownership(path: string): [uid: number, gid: number, mode: string] {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, (mode & 0o7777).toString(8)];
}

test('ctl and curl by a Unix socket that only its owner may open, whatever the umask', async (t) => {
  const socket = join(directoryFor(t), 'ctl');
  for (const umask of ['000', '077']) {
    const running = await start(t, ['--ctlsocket', socket, '--ctlpath', '/elsewhere'], umask);
    assert.deepEqual(ownership(socket), [process.getuid?.(), process.getgid?.(), '600']);
    assert.match(running.stderr, /listening.*control.*ctl/);
    const added = await ctl(socket, 'addport', 'client', 'ws://127.0.0.1:9/', '--no-wait');
    assert.equal(added.status, 0, added.stderr);
    assert.match((await ctl(socket)).stdout, /ws:\/\/127\.0\.0\.1:9\//);
    const byEnvironment = await run([...ETHERWS, 'ctl', 'listport'], { env: { ETHERWS_CTLURL: `unix://${socket}` } });
    assert.equal(byEnvironment.status, 0, byEnvironment.stderr);
    const page = ['--unix-socket', socket, '-H', 'Origin: https://evil.example'];
    assert.equal((await curl(0, URL, '--unix-socket', socket)).status, 200);
    assert.equal((await curl(0, URL, ...page)).status, 403);
    await stop(running);
    assert.equal(existsSync(socket), false);
  }
  const { status, stderr } = await ctl(socket);
  assert.equal(status, 1);
  assert.match(stderr, /Nothing listens at ".*ctl" \(CONNECTION_REFUSED\)/);
});

test('the socket belongs to --user, and --ctlgroup may open it', { skip: needsRoot }, async (t) => {
  const directory = directoryFor(t);
  const socket = join(directory, 'ctl');
  const via = ['--unix-socket', socket];
  const mine = await start(t, ['--ctlsocket', socket]);
  assert.equal((await curl(0, URL, ...via)).status, 200);
  assert.equal((await curl(NOBODY, URL, ...via)).status, 0, 'the kernel does not let it connect');
  await stop(mine);

  const theirs = await start(t, ['--ctlsocket', socket, '--user', 'nobody']);
  assert.deepEqual(ownership(socket), [NOBODY, NOBODY, '600']);
  assert.equal((await curl(0, URL, ...via)).status, 200);
  assert.equal((await curl(NOBODY, URL, ...via)).status, 200);
  await stop(theirs);
  assert.equal(existsSync(socket), true, 'it is not for that user to remove');

  const group = await start(t, ['--ctlsocket', socket, '--ctlgroup', 'nogroup']);
  assert.deepEqual(ownership(socket), [0, NOBODY, '660']);
  assert.equal((await curl(NOBODY, URL, ...via)).status, 200);
  // That a caller can open the socket is not enough.
  chmodSync(socket, 0o666);
  const { status, body } = await curl(1, URL, ...via);
  assert.equal(status, 403);
  assert.match(body, /daemon \(uid 1\)/);
  await stop(group);
});

test('no link of another user leads the socket elsewhere', { skip: needsRoot }, async (t) => {
  const directory = directoryFor(t);
  const [theirs, ours] = [join(directory, 'theirs'), join(directory, 'ours')];
  for (const made of [theirs, ours]) mkdirSync(made);
  chownSync(theirs, NOBODY, NOBODY);
  symlinkSync(ours, join(theirs, 'run'));
  symlinkSync(join(ours, 'ctl'), join(theirs, 'ctl'));
  for (const path of ['run/ctl', 'ctl']) {
    const options = [...LOOPBACK, '--user', 'nobody', '--ctlsocket', join(theirs, path)];
    const { status, stderr } = await run([...ETHERWS, 'sw', '--foreground', ...options]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /symbolic link/);
    assert.equal(existsSync(join(ours, 'ctl')), false);
  }
});

test('a socket that was left behind gives way, one that is served and other files do not', async (t) => {
  const socket = join(directoryFor(t), 'ctl');
  const killed = await start(t, ['--ctlsocket', socket]);
  const refused = await run([...ETHERWS, 'sw', '--foreground', ...LOOPBACK, '--ctlsocket', socket]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /another program listens there.*LISTEN_FAILED/);
  assert.equal((await ctl(socket)).status, 0);
  await killed.end();
  assert.equal(existsSync(socket), true);
  await stop(await start(t, ['--ctlsocket', socket]));

  writeFileSync(socket, 'precious');
  const { status, stderr } = await run([...ETHERWS, 'sw', '--foreground', ...LOOPBACK, '--ctlsocket', socket]);
  assert.equal(status, 1);
  assert.match(stderr, /no socket/);
  assert.equal(statSync(socket).size, 8);
});

test('--no-ctl-tcp: the socket is the only way in', async (t) => {
  const socket = join(directoryFor(t), 'ctl');
  // Another program has the port of the control API.
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const running = await start(t, ['--ctlport', String(port), '--ctlsocket', socket, '--no-ctl-tcp']);
  assert.equal((await ctl(socket)).status, 0);
  assert.equal([...running.stderr.matchAll(/listening/g)].length, 2, 'for tunnels, and the socket');
  await stop(running);
  for (const [options, words] of [
    [['--no-ctl-tcp'], /--no-ctl-tcp needs --ctlsocket/],
    [['--no-ctl-tcp', '--ctlsocket', socket, '--ctl-anybody'], /--ctl-anybody contradicts --no-ctl-tcp/],
    [['--ctl-anybody', '--ctlgroup', 'root'], /--ctl-anybody contradicts --ctlgroup/],
    [['--ctl-anybody', '--ctlhtpasswd', process.execPath], /--ctl-anybody contradicts.*credentials/],
  ] as const) {
    const { status, stderr } = await run([...ETHERWS, 'sw', '--foreground', ...LOOPBACK, ...options]);
    assert.equal(status, 2);
    assert.match(stderr, words);
  }
});

test('beside passwords: the socket needs none, and judges one that is given', {
  skip: missingTools('htpasswd', 'curl'),
}, async (t) => {
  const directory = directoryFor(t);
  const [socket, admins] = [join(directory, 'ctl'), join(directory, 'admins')];
  writeFileSync(admins, await htpasswdLine('-B', USER, PASSWORD));
  const running = await start(t, ['--ctlsocket', socket, '--ctlhtpasswd', admins]);
  const port = Number(/control.*?"port":(\d+)/.exec(running.stderr)?.[1]);
  const via = ['--unix-socket', socket];
  assert.equal((await curl(0, `http://127.0.0.1:${port}/ctl`)).status, 401, 'over TCP as ever, also for root');
  assert.equal((await curl(0, URL, ...via)).status, 200);
  assert.equal((await curl(0, URL, ...via, '--user', `${USER}:${PASSWORD}`)).status, 200);
  assert.equal((await curl(0, URL, ...via, '--user', `${USER}:nearly`)).status, 401);
});
