import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConsoleClient } from '../support/console-client.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { ask, knock } from '../support/http.ts';
import { freePort } from '../support/nginx.ts';
import { type Outcome, Process, run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';

/*
 * `etherws ctl console`: the address with a one-time login.
 */

const { PATH = '' } = process.env;

function directoryFor(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'etherws-console-')));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function consoleOf(url: string, words: readonly string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  return run([...ETHERWS, 'ctl', '--ctlurl', url, 'console', ...words], {
    env: { DISPLAY: '', WAYLAND_DISPLAY: '', ...env },
  });
}

/** Users of another program's file, so that only a code lets the client in. */
function usersIn(directory: string): string {
  const users = join(directory, 'users');
  writeFileSync(users, 'ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n');
  return users;
}

async function userBy(port: number, code: string): Promise<unknown> {
  const { status, body } = await new ConsoleClient(port).login({ code });
  assert.equal(status, 200, body);
  return JSON.parse(body).user;
}

test('by the local socket: the URL of the switch, and its code logs a browser in with the rights of the caller', async (t) => {
  const directory = directoryFor(t);
  const socket = join(directory, 'ctl');
  const lan = await SwitchProcess.start(t, ['--ctlsocket', socket, '--ctlhtpasswd', usersIn(directory)]);
  const { stdout, stderr, status } = await consoleOf(`unix:${socket}`);
  assert.equal(status, 0, stderr);
  const [, at, code = ''] = /^(\S+)#login=([\w-]{43})\n$/.exec(stdout) ?? [];
  assert.equal(at, `http://127.0.0.1:${lan.controlPort}/console/`);
  assert.equal(stderr, 'The login works once, within 60 s.\n');
  assert.equal(await userBy(lan.controlPort, code), `uid:${process.getuid?.()}`);
  assert.equal((await new ConsoleClient(lan.controlPort).login({ code })).status, 401, 'it works once');
});

test('over TCP: at the host and the path by which the control API was called, also below --ctlpath', async (t) => {
  const lan = await SwitchProcess.start(t, ['--ctlpath', '/deep/ctl']);
  for (const host of [`127.0.0.1:${lan.controlPort}`, `localhost:${lan.controlPort}`]) {
    const { stdout, stderr } = await consoleOf(`http://${host}/deep/ctl`, ['--no-open']);
    const [, at, code = ''] = /^(\S+)#login=(\S+)\n$/.exec(stdout) ?? [];
    assert.equal(at, `http://${host}/console/`, stderr);
    assert.equal(await userBy(lan.controlPort, code), `uid:${process.getuid?.()}`);
  }
  const { stdout } = await consoleOf(`http://127.0.0.1:${lan.controlPort}/deep/ctl`, ['--json']);
  const [entry] = JSON.parse(stdout).entries;
  assert.deepEqual(Object.keys(entry).sort(), ['code', 'controlPath', 'expiresSeconds', 'url']);
});

test('on a desktop: xdg-open gets a file of this user only, never the code', async (t) => {
  const lan = await SwitchProcess.start(t);
  const directory = directoryFor(t);
  const [bin, session, opened] = [join(directory, 'bin'), join(directory, 'run'), join(directory, 'opened')];
  mkdirSync(bin);
  mkdirSync(session, { mode: 0o700 });
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$@" > ${opened}.part && mv ${opened}.part ${opened}\n`);
  chmodSync(join(bin, 'xdg-open'), 0o755);
  const desktop = { DISPLAY: ':9', XDG_RUNTIME_DIR: session, PATH: `${bin}${delimiter}${PATH}` };
  const url = `http://127.0.0.1:${lan.controlPort}/ctl`;
  const { stdout, stderr, status } = await consoleOf(url, [], desktop);
  assert.equal(status, 0, stderr);
  const wasOpened = async (): Promise<string> => {
    try {
      return readFileSync(opened, 'utf8');
    } catch {
      return '';
    }
  };
  const given = await eventually(wasOpened, (text) => text !== '');
  assert.equal(given, `file://${session}/etherws-console.html\n`);
  const file = join(session, 'etherws-console.html');
  assert.equal((statSync(file).mode & 0o777).toString(8), '600');
  assert.ok(readFileSync(file, 'utf8').includes(`content="0; url=${stdout.trim()}"`), 'the page leads to the console');
});

test('a switch without the console says what to do', async (t) => {
  const directory = directoryFor(t);
  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  const off = await SwitchProcess.start(t, ['--no-console', '--ctlsocket', first]);
  const line = ['sw', '--foreground', '--host', '127.0.0.1', '--port', '0', '--ctlsocket', second, '--no-ctl-tcp'];
  const socketOnly = new Process([...ETHERWS, ...line]);
  t.after(() => socketOnly.end());
  await socketOnly.output(/ready/);
  for (const socket of [first, second]) {
    const { status, stderr } = await consoleOf(`unix:${socket}`);
    assert.equal(status, 1);
    assert.match(stderr, /serves no console.*without --no-console and --no-ctl-tcp/s);
  }
  assert.equal((await new ConsoleClient(off.controlPort).get('')).status, 404);
});

test('one port for tunnels and control: / and the network "console" are those of tunnels, /console/ the pages', async (t) => {
  const port = String(await freePort());
  const directory = directoryFor(t);
  const network = join(directory, 'etherws.yaml');
  writeFileSync(network, 'networks:\n  - name: console\n');
  const options = ['--ctlhost', '127.0.0.1', '--port', port, '--ctlport', port, '--config', network];
  const sw = await SwitchProcess.start(t, options);
  const client = new ConsoleClient(sw.controlPort);
  assert.equal((await client.get('session')).status, 200);
  assert.notEqual((await ask({ port: sw.controlPort, path: '/' })).status, 302);
  for (const path of ['/', '/console']) assert.equal((await knock({ port: sw.controlPort, path })).status, 101, path);
  assert.equal((await knock({ port: sw.controlPort, path: '/console/nothing' })).status, 404);
});
