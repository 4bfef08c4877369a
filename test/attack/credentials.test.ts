import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import type { PortEntry } from '../../src/control/schema.ts';
import { TestDaemon } from '../support/daemon.ts';
import { call, knock } from '../support/http.ts';
import { keyPairOf } from '../support/key-pair.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { missingTools } from '../support/tools.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-who-'));
after(() => rmSync(directory, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

const ISSUER = keyPairOf('ec', { namedCurve: 'P-256' });
const STRANGER = keyPairOf('ec', { namedCurve: 'P-256' });
const PEM = String(ISSUER.publicKey.export({ type: 'spki', format: 'pem' }));
const nowS = Math.floor(Date.now() / 1000);
const CLAIMS = { sub: 'ada', aud: 'lan', exp: nowS + 300 };

function signed(claims: object, key = ISSUER.privateKey): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(key);
}
function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a bearer token at both doors', () => {
  const body = encoded(CLAIMS);
  const confused = `${encoded({ alg: 'HS256' })}.${body}`;
  const cases: [string, () => string | Promise<string>, boolean][] = [
    ['a good one', () => signed(CLAIMS), true],
    ['one that expired', () => signed({ ...CLAIMS, exp: nowS - 300 }), false],
    ['one that is not valid yet', () => signed({ ...CLAIMS, nbf: nowS + 300 }), false],
    ['one for another audience', () => signed({ ...CLAIMS, aud: 'mail' }), false],
    ['one for no audience', () => signed({ sub: 'ada', exp: CLAIMS.exp }), false],
    ['one that never expires', () => signed({ sub: 'ada', aud: 'lan' }), false],
    ['one of another issuer', () => signed(CLAIMS, STRANGER.privateKey), false],
    ['alg none', () => `${encoded({ alg: 'none' })}.${body}.`, false],
    ['alg None', () => `${encoded({ alg: 'None' })}.${body}.AA`, false],
    [
      'our public key as the secret of an HMAC',
      () => `${confused}.${createHmac('sha256', PEM).update(confused).digest('base64url')}`,
      false,
    ],
    ['no token at all', () => '', false],
  ];

  test('only the good one opens, in the header and in the query, and none is ever logged', async (t) => {
    const keys = file('keys.pem', PEM);
    const options = { tokenkeys: keys, tokenaudience: 'lan', ctltokenkeys: keys, ctltokenaudience: 'lan' };
    for (const [name, make, isGood] of cases) {
      // A new switch for each case, since responses to failures of one address are delayed more each time.
      const running = await TestDaemon.start(t, options);
      const token = await make();
      const headers = { Authorization: `Bearer ${token}` };
      const query = `?access_token=${token}`;
      const answers = await Promise.all([
        knock({ port: running.tunnelPort, headers }),
        knock({ port: running.tunnelPort, path: `/${query}` }),
        call({ host: 'localhost', port: running.controlPort, headers }),
        call({ host: 'localhost', port: running.controlPort, path: `/ctl${query}` }),
      ]);
      const wanted = isGood ? [101, 101, 200, 200] : [401, 401, 401, 401];
      assert.deepEqual(
        answers.map(({ status }) => status),
        wanted,
        name,
      );
      if (!isGood) assert.match(String(answers[0]?.headers['www-authenticate']), /Bearer realm="etherws"/);
      if (token !== '') assert.ok(!running.logText.includes(token), name);
    }
  });

  test('a token in the URL that a client port dials is used, and never shown', async (t) => {
    const relay = await TestDaemon.start(t, { tokenkeys: file('keys.pem', PEM), tokenaudience: 'lan' });
    const dialler = await TestDaemon.start(t);
    const control = { host: 'localhost', port: dialler.controlPort };
    const dialled = async (token: string): Promise<string> => {
      const target = `ws://127.0.0.1:${relay.tunnelPort}/?room=blue&access_token=${token}`;
      return (await call(control, 'addPort', { type: 'client', target })).body;
    };
    const [good, expired] = [await signed(CLAIMS), await signed({ ...CLAIMS, exp: nowS - 300 })];
    const refused = await dialled(expired);
    assert.match(refused, /AUTH_FAILED/);
    await dialled(good);
    const { body: listed } = await call(control);
    const { entries } = (JSON.parse(listed) as { result: { entries: PortEntry[] } }).result;
    assert.deepEqual(
      entries.map(({ state, target }) => [state, target]),
      [['up', `ws://127.0.0.1:${relay.tunnelPort}/?room=blue&access_token=(hidden)`]],
    );
    for (const text of [refused, listed, dialler.logText, relay.logText]) {
      assert.ok(!text.includes(good) && !text.includes(expired));
    }
  });

  test('a token for tunnels does not open the control API', async (t) => {
    const keys = file('keys.pem', PEM);
    const options = { tokenkeys: keys, tokenaudience: 'lan', ctltokenkeys: keys, ctltokenaudience: 'lan-control' };
    const running = await TestDaemon.start(t, options);
    const headers = { Authorization: `Bearer ${await signed(CLAIMS)}` };
    assert.equal((await knock({ port: running.tunnelPort, headers })).status, 101);
    assert.equal((await call({ host: 'localhost', port: running.controlPort, headers })).status, 401);
  });
});

test('client certificates, passwords and tokens side by side', async (t) => {
  const missing = missingTools('openssl');
  if (missing !== false) return t.skip(missing);
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const authority = maker.make({ name: 'authority', isAuthority: true });
  const server = maker.make({ name: 'server', subjectAltName: 'IP:127.0.0.1,DNS:localhost', issuer: authority });
  const clients = maker.make({ name: 'clients', isAuthority: true });
  const ada = maker.make({ name: 'ada', issuer: clients });
  const expired = maker.make({ name: 'old', issuer: clients, days: -1 });
  const own = maker.make({ name: 'eve' });
  const tls = { sslkey: server.keyFile, sslcert: server.certFile };
  const running = await TestDaemon.start(t, {
    ...tls,
    clientCa: clients.certFile,
    tokenkeys: file('keys.pem', PEM),
    tokenaudience: 'lan',
    htpasswd: file('users', 'bob:{SHA}pl89+34qF7+Zx9gL0P4+vCYDGes=\n'),
    ctlsslkey: server.keyFile,
    ctlsslcert: server.certFile,
    ctlclientCa: clients.certFile,
  });
  const ca = readFileSync(authority.certFile);
  const identity = (files: { keyFile: string; certFile: string }): { key: Buffer; cert: Buffer } => ({
    key: readFileSync(files.keyFile),
    cert: readFileSync(files.certFile),
  });

  const cases: [string, object, number, number][] = [
    ['nothing', {}, 401, 403],
    ['a certificate of the authority', identity(ada), 101, 200],
    ['one that expired', identity(expired), 401, 403],
    ['one that somebody made himself', identity(own), 401, 403],
    ['one of the servers’ authority', identity(server), 401, 403],
    ['a token instead', { headers: { Authorization: `Bearer ${await signed(CLAIMS)}` } }, 101, 403],
  ];
  for (const [name, options, tunnel, control] of cases) {
    await t.test(`${name}: ${tunnel} and ${control}`, async () => {
      assert.equal((await knock({ port: running.tunnelPort, ca, ...options })).status, tunnel);
      const host = 'localhost';
      assert.equal((await call({ host, port: running.controlPort, ca, ...options })).status, control);
    });
  }
});
