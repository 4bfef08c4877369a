import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { cookieOf } from '../support/console-client.ts';
import { ConsolePage } from '../support/console-page.ts';
import { GOOD, PASSWORD, temporaryDirectory, USER, usersFile } from '../support/console-users.ts';
import { fencedBlocks } from '../support/fenced-blocks.ts';
import { type Answer, ask } from '../support/http.ts';
import { freePort, startNginx } from '../support/nginx.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { onceAny } from '../support/waits.ts';

/*
 * The console below a path of nginx that ends TLS, by the configuration of docs/operate/console.md; only ports, the name and
 * the directory of the certificates differ.
 */

const PAGE = 'docs/operate/console.md';
const directory = temporaryDirectory();
const users = usersFile(directory, 'users');

interface Site {
  readonly port: number;
  readonly ca: Buffer;
  readonly origin: string;
}

/** nginx before a switch with these options; undefined if a program is missing: the test is then skipped. */
async function openSite(t: TestContext, options: readonly string[]): Promise<Site | undefined> {
  const missing = missingTools('nginx', 'openssl');
  if (missing !== false) {
    t.skip(missing);
    return undefined;
  }
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const { keyFile, certFile } = maker.make({ name: 'localhost', subjectAltName: 'DNS:localhost', isAuthority: true });
  const { controlPort } = await SwitchProcess.start(t, ['--ctlhtpasswd', users, ...options]);
  const block = fencedBlocks(PAGE).find(({ language }) => language === 'nginx')?.text ?? '';
  const port = await freePort();
  const changed = block
    .replace('/etc/ssl/relay.example/cert.pem', certFile)
    .replace('/etc/ssl/relay.example/key.pem', keyFile)
    .replace('relay.example', 'localhost')
    .replace('listen 443', `listen 127.0.0.1:${port}`)
    .replace('127.0.0.1:7867', `127.0.0.1:${controlPort}`);
  await startNginx(t, maker.directory, changed);
  return { port, ca: readFileSync(certFile), origin: `https://localhost:${port}` };
}

function send({ port, ca, origin }: Site, path: string, headers: Record<string, string> = {}, body?: string) {
  const change = body === undefined ? {} : { Origin: origin, 'Content-Type': 'application/json' };
  return ask(
    {
      host: 'localhost',
      port,
      ca,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { Host: `localhost:${port}`, ...change, ...headers },
    },
    body,
  );
}

const login = (site: Site, headers: Record<string, string> = {}): Promise<Answer> =>
  send(site, '/lan/console/login', headers, JSON.stringify(GOOD));

test('nginx: redirects, login, cookie and WebSocket are those of the path and the scheme that the browser sees', async (t) => {
  const site = await openSite(t, ['--trusted-proxy', '127.0.0.1']);
  if (site === undefined) return;
  assert.equal((await send(site, '/lan/')).headers.location, 'console/');
  const { location } = (await send(site, '/lan/console')).headers;
  assert.equal(new URL(String(location), `${site.origin}/lan/console`).pathname, '/lan/console/');
  const answer = await login(site);
  assert.equal(answer.status, 200, answer.body);
  const cookie = cookieOf(answer) ?? '';
  assert.match(cookie, /; HttpOnly; SameSite=Strict; Secure$/);
  const Cookie = cookie.split(';', 1)[0] ?? '';
  assert.equal(JSON.parse((await send(site, '/lan/console/session', { Cookie })).body).user, USER);
  const live = new WebSocket(`wss://localhost:${site.port}/lan/console/live`, {
    ca: site.ca,
    headers: { Origin: site.origin, Cookie },
  });
  t.after(() => live.terminate());
  await onceAny(live, ['open', 'error']);
  assert.equal(live.readyState, WebSocket.OPEN);
  for (const origin of [`http://localhost:${site.port}`, 'https://localhost', 'https://evil.test']) {
    assert.equal((await login(site, { Origin: origin })).status, 403, origin);
  }
});

test('nginx that is not trusted: its pages are those of another origin, and the error says what to do', async (t) => {
  const site = await openSite(t, []);
  if (site === undefined) return;
  const { status, body } = await login(site);
  assert.equal(status, 403);
  assert.match(JSON.parse(body).hint, /--trusted-proxy and send X-Forwarded-Proto/);
});

test('Chromium behind nginx: opens the path, logs in, is live, stays logged in, and logs out', async (t) => {
  const site = await openSite(t, ['--trusted-proxy', '127.0.0.1']);
  if (site === undefined) return;
  const opened = await ConsolePage.open(t, 0, { url: `${site.origin}/lan/`, ignoreHTTPSErrors: true });
  if (opened === undefined) return;
  const { page } = opened;
  await page.locator('input[name="user"]').fill(USER);
  await page.locator('input[name="password"]').fill(PASSWORD);
  await page.locator('button[type="submit"]').click();
  await opened.live();
  assert.equal(new URL(page.url()).pathname, '/lan/console/');
  const [cookie] = await page.context().cookies(`${site.origin}/lan/console/`);
  assert.deepEqual(
    [cookie?.path, cookie?.httpOnly, cookie?.secure, cookie?.sameSite],
    ['/lan/console', true, true, 'Strict'],
  );
  await page.reload();
  await opened.live();
  await page.locator('button.frame-user').click();
  await page.locator('input[name="user"]').waitFor();
  assert.deepEqual(await page.context().cookies(), []);
});
