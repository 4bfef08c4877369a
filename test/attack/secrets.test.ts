import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { ETHERWS } from '../support/etherws.ts';
import { ask, knock } from '../support/http.ts';
import { htpasswdLine } from '../support/lan.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { Process } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/** The secrets have no common substrings, so that each can be searched for by itself. */
const PASSWORD = 'correct:horse:battery';
const WRONG_PASSWORD = 'nearly-the-right-one';
const CLIENT_PASSWORD = 'kept-for-the-other-side';
const PROXY_PASSWORD = 'proxies-want-one-too';
const HEADER_SECRET = 'an-api-key-in-a-header';
const TOKEN_SECRET = 'a shared secret of more than thirty-two octets';
const QUERY_SECRET = 'a-key-in-the-query-of-a-url';

/** The command lines of all visible processes. */
function commandLines(): string {
  let all = '';
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      all += `${readFileSync(`/proc/${name}/cmdline`, 'utf8')}\n`;
    } catch {
      // The process has ended.
    }
  }
  return all;
}

test('no secret stands in the log at its most talkative, in an answer, or in ps', async (t) => {
  const missing = missingTools('openssl', 'htpasswd');
  if (missing !== false) return t.skip(missing);
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const directory = mkdtempSync(join(tmpdir(), 'etherws-secrets-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const { keyFile, certFile } = maker.make({ name: 'lan', subjectAltName: 'IP:127.0.0.1', isAuthority: true });
  const [users, secret] = [join(directory, 'users'), join(directory, 'secret')];
  const line = await htpasswdLine('-B', 'ada', PASSWORD);
  writeFileSync(users, line);
  writeFileSync(secret, TOKEN_SECRET);
  const sign = (lifetime: string): Promise<string> =>
    new SignJWT({ sub: 'bob', aud: 'lan' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(lifetime)
      .sign(Buffer.from(TOKEN_SECRET));
  const [token, expired] = [await sign('5 minutes'), await sign('-5 minutes')];

  const basic = (password: string): string => Buffer.from(`ada:${password}`).toString('base64');
  const services = ['--sslkey', keyFile, '--sslcert', certFile, '--htpasswd', users, '--ctlhtpasswd', users];
  const tokens = ['--tokenkeys', secret, '--tokenaudience', 'lan'];
  const lan = await SwitchProcess.start(t, [...services, ...tokens], { Authorization: `Basic ${basic(PASSWORD)}` });
  const port = lan.tunnelPort;
  const ca = readFileSync(certFile);

  let said = '';
  let seen = '';
  const ctl = async (args: readonly string[], env: Record<string, string> = {}): Promise<void> => {
    const url = ['--ctlurl', `http://127.0.0.1:${lan.controlPort}/ctl`, '--ctluser', 'ada'];
    const running = new Process([...ETHERWS, 'ctl', ...url, ...args], {
      env: { ETHERWS_CTL_PASSWD: PASSWORD, ...env },
    });
    const watch = setInterval(() => {
      seen += commandLines();
    }, 20);
    const { stdout, stderr } = await running.exited;
    clearInterval(watch);
    said += stdout + stderr;
  };

  // Right and wrong credentials, in the header and in the query.
  for (const [headers, query, status] of [
    [{ Authorization: `Basic ${basic(PASSWORD)}` }, '', 101],
    [{ Authorization: `Basic ${basic(WRONG_PASSWORD)}` }, '', 401],
    [{ Authorization: `Bearer ${token}` }, '', 101],
    [{ Authorization: `Bearer ${expired}` }, '', 401],
    [{}, `?access_token=${token}`, 101],
    [{}, `?access_token=${expired}`, 401],
    [{ Cookie: `session=${HEADER_SECRET}` }, `?key=${QUERY_SECRET}`, 401],
  ] as const) {
    assert.equal((await knock({ port, ca, path: `/${query}`, headers })).status, status);
  }
  // A connected tunnel is a port, and the log has its user.
  const bob = new TunnelSocket(`wss://127.0.0.1:${port}/`, { ca, headers: { Authorization: `Bearer ${token}` } });
  t.after(() => bob.terminate());
  await once(bob, 'open');
  await lan.process.output(/"user":"bob"/);
  // Client ports with all kinds of secrets: password, token, proxy, header fields, a key in the query.
  const target = `wss://127.0.0.1:${port}/?key=${QUERY_SECRET}`;
  const common = ['addport', 'client', target, '--cacerts', certFile, '--no-wait'];
  const password = { ETHERWS_CLIENT_PASSWD: CLIENT_PASSWORD };
  await ctl([...common, '--user', 'ada'], password);
  await ctl(common, { ETHERWS_CLIENT_TOKEN: token });
  const proxy = `http://carl:${PROXY_PASSWORD}@127.0.0.1:1/`;
  const headers = [`X-Api-Key: ${HEADER_SECRET}`];
  for (const wait of [false, true]) {
    const options = { cacerts: certFile, wait, proxy, headers };
    // The error must name the missing proxy, without its password.
    said += JSON.stringify(await lan.call('addPort', { type: 'client', target, options }).catch(String));
  }
  for (const [headers, query, status] of [
    [{ Authorization: `Basic ${basic(PASSWORD)}` }, `?key=${QUERY_SECRET}`, 200],
    [{ Authorization: `Basic ${basic(WRONG_PASSWORD)}` }, '', 401],
    [{ Authorization: `Bearer ${token}`, Cookie: HEADER_SECRET }, '', 401],
    [{}, `?access_token=${token}`, 401],
  ] as const) {
    const answer = await ask({ port: lan.controlPort, path: `/metrics${query}`, method: 'GET', headers });
    assert.equal(answer.status, status);
    said += answer.body;
  }
  assert.match(
    said,
    /etherws_port_info\{port="\d+",name="",type="server",network="default",target="127[^"]*",wire="raw",user="bob"\}/,
  );
  for (const list of ['listport', 'listif', 'listfdb', 'listdoor']) await ctl([list, '--json']);
  for (const command of [['listport'], ['status'], ['show', '4']]) await ctl(command);
  said += JSON.stringify(await lan.call('getPort', { port: 4 }));
  for (const method of ['listPort', 'listInterface', 'listFdb', 'listDoor', 'getStatus'])
    said += JSON.stringify(await lan.call(method));
  assert.match(said, /127\.0\.0\.1/);
  assert.match(lan.log, /"user":"bob"/);
  assert.match(seen, /addport/);

  const key = readFileSync(keyFile, 'utf8').split('\n')[1] ?? '';
  const secrets: Record<string, string> = {
    PASSWORD,
    WRONG_PASSWORD,
    CLIENT_PASSWORD,
    PROXY_PASSWORD,
    HEADER_SECRET,
    TOKEN_SECRET,
    QUERY_SECRET,
    'a password as it is sent': basic(PASSWORD),
    'a wrong one as it is sent': basic(WRONG_PASSWORD),
    'the hash of a password': line.trim().slice('ada:'.length),
    'a token’s signature': token.slice(token.lastIndexOf('.') + 1),
    'that of an expired one': expired.slice(expired.lastIndexOf('.') + 1),
    'the private key': key,
  };
  for (const [name, text] of Object.entries(secrets)) {
    assert.ok(text.length > 12);
    assert.ok(!lan.log.includes(text), `${name} stands in the log`);
    assert.ok(!said.includes(text), `${name} stands in an answer`);
    // A key in a URL of the command line is visible in ps; etherws cannot prevent that.
    if (name !== 'QUERY_SECRET') assert.ok(!seen.includes(text), `${name} stands in ps`);
  }
});
