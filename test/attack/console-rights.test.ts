import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { ConsoleClient } from '../support/console-client.ts';
import { GOOD, lineOf, PASSWORD, temporaryDirectory, USER, usersFile } from '../support/console-users.ts';
import { TestDaemon } from '../support/daemon.ts';
import { beforeExpiry } from '../support/expiry.ts';
import { keyPairOf } from '../support/key-pair.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { missingTools } from '../support/tools.ts';
import { once } from '../support/waits.ts';

const directory = temporaryDirectory();
const users = usersFile(directory, 'users', lineOf(USER, PASSWORD) + lineOf('wall', PASSWORD));
const ISSUER = keyPairOf('ec', { namedCurve: 'P-256' });

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

async function callBy(
  socket: WebSocket,
  method: string,
  params: object = {},
): Promise<{ readonly result?: unknown; readonly error?: unknown }> {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: `etherws.control.${method}`, params }));
  const [answer] = await once(socket, 'message');
  return JSON.parse(String(answer));
}

async function live(client: ConsoleClient): Promise<WebSocket> {
  const socket = await client.live();
  assert.ok(socket instanceof WebSocket, `the WebSocket was refused with ${socket}`);
  return socket;
}

describe('rights at the console', () => {
  test('a user that may only look sees only those methods, and cannot call others or get rights by a code', async (t) => {
    const policy = file(
      'policy',
      'default:\n  control: {methods: none}\nusers:\n  wall:\n    control: {methods: [listPort]}\n',
    );
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users, policy });
    const wall = new ConsoleClient(controlPort);
    const session = JSON.parse((await wall.login({ user: 'wall', password: PASSWORD })).body);
    assert.deepEqual(session.methods, ['listPort']);
    const socket = await live(wall);
    t.after(() => socket.terminate());
    assert.deepEqual((await callBy(socket, 'listPort')).result, { entries: [] });
    for (const method of ['addPort', 'delPort', 'getStatus', 'createLogin']) {
      assert.match(
        JSON.stringify((await callBy(socket, method)).error),
        /METHOD_FORBIDDEN: The user wall may not/,
        method,
      );
    }
    const ada = new ConsoleClient(controlPort);
    assert.deepEqual(JSON.parse((await ada.login(GOOD)).body).methods, []);
    assert.equal(await ada.live(), 403, 'one that may call nothing has no WebSocket');
  });

  test('a code has the rights of the caller that made it, not those of a better one', async (t) => {
    const policy = file('codes', 'users:\n  wall:\n    control: {methods: [listPort, createLogin]}\n');
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users, policy });
    const wall = new ConsoleClient(controlPort);
    await wall.login({ user: 'wall', password: PASSWORD });
    const socket = await live(wall);
    t.after(() => socket.terminate());
    const { result } = (await callBy(socket, 'createLogin')) as { result: { entries: [{ code: string }] } };
    const { code } = result.entries[0];
    const other = new ConsoleClient(controlPort);
    assert.deepEqual(JSON.parse((await other.login({ code })).body).methods.sort(), ['createLogin', 'listPort']);
    assert.equal((await other.login({ code })).status, 401, 'once');
  });

  test('a session by a token ends with the token', async (t) => {
    const ctltokenkeys = file('keys', String(ISSUER.publicKey.export({ type: 'spki', format: 'pem' })));
    const { controlPort } = await TestDaemon.start(t, { ctltokenkeys, ctltokenaudience: 'lan' });
    const client = new ConsoleClient(controlPort);
    assert.deepEqual(JSON.parse((await client.get('session')).body).wants, ['token']);
    const [socket] = await beforeExpiry(async (expiryS) => {
      // Tokens are accepted for 30 s after their expiry.
      const token = await new SignJWT({ sub: 'ada', aud: 'lan', exp: expiryS - 30 })
        .setProtectedHeader({ alg: 'ES256' })
        .sign(ISSUER.privateKey);
      assert.equal((await client.login({ token: `${token}x` })).status, 401);
      assert.equal((await client.login({ token })).status, 200);
      return live(client);
    });
    const closed = once(socket, 'close');
    const poll = setInterval(() => socket.send('{"jsonrpc":"2.0","id":1,"method":"etherws.control.listPort"}'), 200);
    t.after(() => clearInterval(poll));
    assert.equal((await closed)[0], 1008);
    assert.equal((await client.get('session')).status, 401);
  });
});

describe('a client certificate', { skip: missingTools('openssl') }, () => {
  test('is a session of its own: no login, no cookie, and nothing for a connection without it', async (t) => {
    const maker = new CertificateMaker();
    t.after(() => maker.remove());
    const server = maker.make({ name: 'lan', subjectAltName: 'DNS:localhost', isAuthority: true });
    const authority = maker.make({ name: 'authority', isAuthority: true });
    const ada = maker.make({ name: 'ada', issuer: authority });
    const tls = { ctlsslkey: server.keyFile, ctlsslcert: server.certFile, ctlclientCa: authority.certFile };
    const { controlPort } = await TestDaemon.start(t, tls);
    const ca = readFileSync(server.certFile);
    const shown = { key: readFileSync(ada.keyFile), cert: readFileSync(ada.certFile) };
    const ask = async (more: object): Promise<{ status: number | undefined; body: string; cookie: unknown }> => {
      const options = { host: 'localhost', port: controlPort, path: '/console/session', ca, agent: false, ...more };
      const asked = request(options).end();
      const [response] = await once(asked, 'response');
      let body = '';
      for await (const piece of response) body += String(piece);
      return { status: response.statusCode, body, cookie: response.headers['set-cookie'] };
    };
    const { status, body, cookie } = await ask(shown);
    assert.deepEqual([status, cookie], [200, undefined]);
    assert.deepEqual([JSON.parse(body).user, JSON.parse(body).canLogOut], ['ada', false]);
    const without = await ask({});
    assert.deepEqual([without.status, JSON.parse(without.body).wants], [403, ['certificate']]);
    const foreign = await ask({ ...shown, headers: { Origin: 'https://evil.test' } });
    assert.equal(foreign.status, 403, 'browsers show it to pages of other sites, too');
  });
});
