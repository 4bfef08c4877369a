import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { ConsoleClient, cookieOf } from '../support/console-client.ts';
import { GOOD, PASSWORD, temporaryDirectory, USER, usersFile } from '../support/console-users.ts';
import { TestDaemon } from '../support/daemon.ts';
import { asUser, NOBODY } from '../support/local-caller.ts';
import { run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';
import { once } from '../support/waits.ts';

const directory = temporaryDirectory();
const users = usersFile(directory, 'users');

/** A client at a switch with that user, which has logged in. */
async function loggedIn(t: Parameters<typeof TestDaemon.start>[0]): Promise<ConsoleClient> {
  const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
  const client = new ConsoleClient(controlPort);
  assert.equal((await client.login(GOOD)).status, 200);
  return client;
}

describe('requests that another site makes a browser send', () => {
  /** What browsers add to requests of other pages, and what forms can send. */
  const FOREIGN: [string, Record<string, string>, number][] = [
    ['of another site', { Origin: 'https://evil.test' }, 403],
    ['of another port of this host', { Origin: 'http://localhost:1' }, 403],
    ['of this host by another scheme', { Origin: 'https://localhost' }, 403],
    ['of a sandboxed frame', { Origin: 'null' }, 403],
    ['that says cross-site without an Origin', { Origin: '', 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['of a sibling', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['of a form', { 'Content-Type': 'text/plain' }, 415],
    ['of a form with fields', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    ['that is compressed', { 'Content-Encoding': 'gzip' }, 415],
  ];

  test('cannot log it in, out, or open its WebSocket', async (t) => {
    const client = await loggedIn(t);
    for (const [name, headers, status] of FOREIGN) {
      for (const path of ['login', 'logout']) {
        const answer = await client.post(path, JSON.stringify(GOOD), headers);
        assert.equal(answer.status, status, `${path} ${name}: ${answer.body}`);
        assert.equal(cookieOf(answer), undefined, name);
      }
      const { Origin: origin } = headers;
      if (origin !== undefined && origin !== '') assert.equal(await client.live(headers), 403, name);
    }
    assert.equal((await client.get('session')).status, 200, 'the session is still there');
  });

  test('under a name that was rebound to this host get nothing (DNS rebinding)', async (t) => {
    const client = await loggedIn(t);
    for (const host of ['evil.test', `evil.test:${client.port}`]) {
      const rebound = new ConsoleClient(client.port, { host, cookie: client.cookie });
      assert.equal((await rebound.get('session')).status, 403);
      assert.equal((await rebound.get('')).status, 403);
      assert.equal((await rebound.login(GOOD)).status, 403);
      assert.equal(await rebound.live(), 403);
    }
    // The header of a proxy that is not trusted changes nothing.
    const headers = { Host: 'evil.test', 'X-Forwarded-Host': client.host };
    assert.equal((await client.get('session', headers)).status, 403);
    const https = { Origin: `https://${client.host}`, 'X-Forwarded-Proto': 'https' };
    assert.equal((await client.post('login', JSON.stringify(GOOD), https)).status, 403);
  });
});

describe('behind a trusted proxy', () => {
  const PROXY = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'relay.example' };

  test('the origin of the pages is what the proxy says, and their cookie is for TLS only', async (t) => {
    const options = { ctlhtpasswd: users, trustedProxy: ['127.0.0.1', '::1'], ctlname: 'relay.example' };
    const { controlPort } = await TestDaemon.start(t, options);
    const client = new ConsoleClient(controlPort);
    const answer = await client.login(GOOD, { ...PROXY, Origin: 'https://relay.example' });
    assert.equal(answer.status, 200, answer.body);
    assert.match(cookieOf(answer) ?? '', /^etherws-session=.*; Secure$/, 'the name has the port that browsers see');
    for (const origin of ['http://relay.example', `https://${client.host}`, 'https://relay.example:8443']) {
      assert.equal((await client.login(GOOD, { ...PROXY, Origin: origin })).status, 403, origin);
    }
  });

  test('a name that was rebound to the proxy gets nothing, whatever its pages say in X-Forwarded-Host', async (t) => {
    const options = { ctlhtpasswd: users, trustedProxy: ['127.0.0.1', '::1'] };
    const { controlPort } = await TestDaemon.start(t, options);
    const client = new ConsoleClient(controlPort);
    const rebound = { Host: 'evil.test', 'X-Forwarded-Host': 'localhost' };
    assert.equal((await client.get('session', rebound)).status, 403);
    assert.equal((await client.get('session', { 'X-Forwarded-Host': 'evil.test' })).status, 403);
  });
});

describe('what the console answers', () => {
  const MUST: [string, RegExp][] = [
    ['content-security-policy', /^default-src 'none'; .*frame-ancestors 'none'/],
    ['x-frame-options', /^DENY$/],
    ['x-content-type-options', /^nosniff$/],
    ['referrer-policy', /^no-referrer$/],
    ['cross-origin-opener-policy', /^same-origin$/],
    ['cross-origin-resource-policy', /^same-origin$/],
    ['permissions-policy', /camera=\(\)/],
  ];

  test('every response refuses frames, other sources and guessing of types', async (t) => {
    const client = await loggedIn(t);
    const answers = await Promise.all([
      client.get(''),
      client.get('session'),
      client.get('nothing/such'),
      client.get('live'),
      client.get('session', { Host: 'evil.test' }),
      client.get('session', {}, 'DELETE'),
      client.post('login', '{}'),
      client.post('logout', '{}'),
    ]);
    for (const { headers, status } of answers) {
      for (const [name, wanted] of MUST) assert.match(String(headers[name]), wanted, `${name} of ${status}`);
      assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|\*|https?:/);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });

  test('methods that a path does not take get 405 with those that it takes', async (t) => {
    const client = await loggedIn(t);
    for (const [path, method, allow] of [
      ['', 'POST', 'GET, HEAD'],
      ['session', 'PUT', 'GET, HEAD'],
      ['login', 'GET', 'POST'],
      ['logout', 'OPTIONS', 'POST'],
    ] as const) {
      const { status, headers } = await client.get(path, {}, method);
      assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`);
    }
    const { status, body } = await client.get('session', {}, 'HEAD');
    assert.deepEqual([status, body], [200, '']);
  });

  test('no path leads out of the directory of the pages', async (t) => {
    const client = await loggedIn(t);
    for (const path of [
      '../package.json',
      '..%2fpackage.json',
      '%2e%2e/package.json',
      'assets/../../src/index.js',
      'assets/..%5c..%5cpackage.json',
      '/etc/passwd',
      'assets//etc/passwd',
      'index.html%00.js',
      '__proto__',
      'constructor',
      'src/index.js',
    ]) {
      const { status, body } = await client.get(path);
      assert.ok(status === 404 || status === 503, `${path}: ${status}`);
      assert.doesNotMatch(body, /root:|"name": "etherws"/, path);
    }
  });
});

describe('logins', () => {
  test('a body that is no login is refused, and the text of a password is not repeated', async (t) => {
    const { controlPort, log } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const client = new ConsoleClient(controlPort);
    for (const body of [
      '',
      '[]',
      'null',
      '{"user":"ada"}',
      '{"password":"open sesame"',
      '{"user":{"x":1},"password":"open sesame"}',
      '{"user":"a:b","password":"open sesame"}',
      '{"user":"ada","password":["open sesame"]}',
      '{"user":"ada","password":"open sesame","admin":true}',
      '{"token":"open sesame"}',
      '{"code":7}',
    ]) {
      const answer = await client.login(body);
      assert.equal(answer.status, 400, `${body}: ${answer.body}`);
      assert.doesNotMatch(answer.body, /open sesame/);
    }
    assert.doesNotMatch(JSON.stringify(log), /open sesame/);
    assert.equal((await client.login({ code: 'A'.repeat(43) })).status, 401);
    assert.equal((await client.login(`{"code":"${'A'.repeat(17 * 1024)}"}`)).status, 413);
  });

  test('a body that is late is cut', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const socket = connect({ host: 'localhost', port: controlPort });
    t.after(() => socket.destroy());
    const head = `Host: localhost:${controlPort}\r\nContent-Type: application/json\r\nContent-Length: 100`;
    socket.write(`POST /console/login HTTP/1.1\r\n${head}\r\n\r\n{"user":`);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 408 /);
    await once(socket, 'close');
  });

  for (const path of ['/console/login', '/ctl']) {
    test(`bodies that do not come take no place from others, at ${path}`, async (t) => {
      const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users, maxUnproven: '16' });
      const fields = `Host: localhost:${controlPort}\r\nContent-Type: application/json\r\nContent-Length: 100`;
      const sockets = Array.from({ length: 16 }, (_, index) =>
        // Each address has a share of its own.
        connect({ host: '127.0.0.1', port: controlPort, localAddress: `127.0.0.${2 + index}` }),
      );
      for (const socket of sockets) {
        t.after(() => socket.destroy());
        socket.on('error', () => undefined);
        socket.write(`POST ${path} HTTP/1.1\r\n${fields}\r\nExpect: 100-continue\r\n\r\n`);
        const [answer] = await once(socket, 'data');
        assert.match(String(answer), /^HTTP\/1\.1 100 /);
      }
      const client = new ConsoleClient(controlPort);
      assert.equal((await client.login(GOOD)).status, 200);
      assert.equal((await client.get('session')).status, 200);
    });
  }

  test('failures are throttled together with those of the control API', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users, loginFailures: '3' });
    const client = new ConsoleClient(controlPort);
    const guesses = ['a', 'b', 'c', 'd', 'e'].map((password) => client.login({ user: USER, password }));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.ok(statuses.every((status) => status === 401 || status === 429));
    assert.equal((await client.login(GOOD)).status, 429, 'the right password is not tried either');
  });

  test('where no credentials are asked for, any credentials are still no login', async (t) => {
    const { controlPort } = await TestDaemon.start(t);
    const client = new ConsoleClient(controlPort);
    for (const login of [GOOD, { token: 'a.b.c' }]) assert.equal((await client.login(login)).status, 400);
    assert.equal(client.cookie, undefined);
  });
});

const missing =
  process.getuid?.() === 0 ? missingTools('curl', 'setpriv') : 'needs root, to be several users of this host';

describe('other users of this host', { skip: missing }, () => {
  async function status(uid: number, port: number, ...options: readonly string[]): Promise<string> {
    const url = `http://localhost:${port}/console/session`;
    const curl = ['curl', '--silent', '--max-time', '20', '--output', '/dev/null', '--write-out', '%{http_code}'];
    return (await run([...asUser(uid), ...curl, ...options, url], { cwd: '/' })).stdout;
  }

  test('need a login where an admitted user needs none', async (t) => {
    const { controlPort } = await TestDaemon.start(t);
    assert.equal(await status(0, controlPort), '200');
    assert.equal(await status(NOBODY, controlPort), '403');
    assert.equal(await status(0, controlPort, '-H', 'X-Forwarded-For: 192.0.2.1'), '403', 'a proxy of this host');
  });

  test('cannot use a cookie that the browser of another user got: browsers send it to all ports of a host', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const client = new ConsoleClient(controlPort);
    await client.login({ user: USER, password: PASSWORD });
    const stolen = ['--cookie', client.cookie ?? ''];
    assert.equal(await status(0, controlPort, ...stolen), '200');
    assert.equal(await status(NOBODY, controlPort, ...stolen), '401');
  });
});
