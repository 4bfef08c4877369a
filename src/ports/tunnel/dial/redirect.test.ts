import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { once } from '../../../../test/support/waits.ts';
import { TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import { redirectTo } from '../accept/server-refusals.ts';
import { dialTunnel } from './dial-tunnel.ts';
import { dial } from './opening-handshake.ts';
import { mayFollow, RedirectBounds, redirectTarget } from './redirect.ts';
import { parseTunnelUrl } from './tunnel-url.ts';

/** A server that redirects each request. @returns its URL, and the requests that it has had */
async function redirecting(
  t: TestContext,
  to: () => string,
  isOfNode = true,
): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(307, { Location: to(), ...(isOfNode ? { 'Etherws-Redirect': '1' } : {}) }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

test('a client follows a redirect with its credentials and its query', async (t) => {
  const seen: (string | undefined)[] = [];
  const target = new TestTunnelServer({
    authenticator: {
      challenge: 'Basic realm=etherws',
      authenticate: ({ authorization }) => {
        seen.push(authorization);
        return Promise.resolve({ isAllowed: true, user: null });
      },
      close: () => Promise.resolve(),
    },
  });
  await target.start();
  t.after(() => target.stop());
  const { url, asked } = await redirecting(t, () => target.url);
  const tunnel = await dialTunnel({ url: `${url}?key=x`, user: 'ann', passwd: 'secret' });
  const port = await target.nextPort();
  assert.equal(asked[0]?.headers['etherws-redirect'], '1');
  assert.equal(seen[0], `Basic ${Buffer.from('ann:secret').toString('base64')}`);
  assert.ok(tunnel.target.startsWith(target.url));
  await Promise.all([tunnel.close(), port.close()]);
});

test('a loop of redirects ends at the first URL that comes again', async (t) => {
  const { url, asked } = await redirecting(t, () => '/again');
  await assert.rejects(dialTunnel({ url }), {
    code: 'HANDSHAKE_REJECTED',
    message: /\/again, which was dialled already/,
  });
  assert.equal(asked.length, 2);
});

test('a chain of redirects ends after three', async (t) => {
  const { url, asked } = await redirecting(t, () => `/${asked.length}`);
  await assert.rejects(dialTunnel({ url }), { code: 'HANDSHAKE_REJECTED', message: /4th time/ });
  assert.equal(asked.length, 4);
});

test('only a server of this host, or of its links, leads a client to one there', () => {
  const url = (host: string) => parseTunnelUrl(`ws://${host}/`);
  const lead = (from: string, to: string, address?: string, fromAddress?: string) => () =>
    new RedirectBounds(url(from), { address: fromAddress }).check(url(to), address);
  for (const [from, to, address] of [
    ['r1.example', '127.0.0.1'],
    ['r1.example', 'localhost'],
    ['r1.example', '[::1]'],
    ['192.0.2.1', '169.254.169.254'],
    ['r1.example', 'r2.example', '127.0.0.1'],
    ['r1.example', 'r2.example', '::ffff:127.0.0.1'],
    ['169.254.0.1', '127.0.0.1'],
  ] as const) {
    assert.throws(lead(from, to, address), { code: 'HANDSHAKE_REJECTED', message: /not followed/ }, `${from} ${to}`);
  }
  for (const [from, to, address, fromAddress] of [
    ['127.0.0.1', '127.0.0.2'],
    ['127.0.0.1', 'r2.example', '192.0.2.2'],
    ['r1.example', 'r2.example', '10.0.0.2', '192.0.2.1'],
    ['r1.example', '127.0.0.1', undefined, '127.0.0.1'],
    ['169.254.0.1', '169.254.0.2'],
  ] as const) {
    assert.doesNotThrow(lead(from, to, address, fromAddress), `${from} ${to}`);
  }
});

test('only a server of this host leads a client to an address of this host in a network', async (t) => {
  const [from, to] = [parseTunnelUrl('ws://r1.example/'), parseTunnelUrl('ws://r2.example/')];
  const check = (isFromOwn: boolean, address: string, isOwn: boolean, fromAddress = '192.0.2.1') =>
    new RedirectBounds(from, { address: fromAddress, isOwn: isFromOwn }).check(to, address, isOwn);
  const refusal = { code: 'HANDSHAKE_REJECTED', message: /at 192\.0\.2\.2, in this host/ };
  assert.throws(() => check(false, '192.0.2.2', true), refusal);
  assert.throws(() => check(false, '192.0.2.2', true, '169.254.0.1'), refusal);
  assert.doesNotThrow(() => check(true, '192.0.2.2', true));
  assert.doesNotThrow(() => check(true, '127.0.0.1', true, '127.0.0.1'));
  assert.throws(() => check(true, '127.0.0.1', true), { code: 'HANDSHAKE_REJECTED' }, 'as before');

  const { url } = await redirecting(t, () => 'ws://r3.example/');
  const told: unknown[] = [];
  const options = { url: parseTunnelUrl(url), offersBatchedWire: true, timeoutMs: 2000, followsRedirects: true };
  const checkAddress = (...facts: unknown[]): void => void told.push(facts);
  await assert.rejects(dial({ ...options, checkAddress }), { name: 'Redirected', isOwn: true });
  const other = { ...options, checkAddress, bindAddress: '127.0.0.2' };
  await assert.rejects(dial(other), { name: 'Redirected', isOwn: false });
  assert.deepEqual(told, [
    ['127.0.0.1', true],
    ['127.0.0.1', false],
  ]);
});

test('a server at a wrong address gets nothing', async (t) => {
  const { url, asked } = await redirecting(t, () => '/');
  const to = parseTunnelUrl(url);
  const bounds = new RedirectBounds(parseTunnelUrl('ws://r1.example/'), { address: '192.0.2.1' });
  const checkAddress = (address: string): void => bounds.check(to, address);
  const dialling = dial({ url: to, authorization: 'Bearer x', offersBatchedWire: true, timeoutMs: 2000, checkAddress });
  await assert.rejects(dialling, { code: 'HANDSHAKE_REJECTED', message: /at 127\.0\.0\.1, in this host/ });
  assert.equal(asked.length, 0);
});

test('credentials do not leave this host in the clear by a redirect', async (t) => {
  const { url, asked } = await redirecting(t, () => 'ws://192.0.2.1:9/');
  await assert.rejects(dialTunnel({ url, token: 'secret' }), { code: 'HANDSHAKE_REJECTED', hint: /not followed/ });
  assert.deepEqual(
    asked.map(({ headers }) => headers['etherws-redirect']),
    ['1', undefined],
    'the server is asked again, as by a client that does not follow',
  );
  assert.equal(
    new RedirectBounds(parseTunnelUrl(url), { address: '127.0.0.1' }).exposes(parseTunnelUrl('wss://a/')),
    false,
  );
});

test('a client that does not follow says nothing, and names what can be dialled', async (t) => {
  const { url, asked } = await redirecting(t, () => 'ws://elsewhere.example/');
  await assert.rejects(dialTunnel({ url, redirect: false }), { code: 'HANDSHAKE_REJECTED', hint: /elsewhere/ });
  assert.equal(asked[0]?.headers['etherws-redirect'], undefined);
});

test('a redirect that is not one of a node is not followed', async (t) => {
  const target = await redirecting(t, () => '/');
  const { url } = await redirecting(t, () => target.url, false);
  await assert.rejects(dialTunnel({ url }), { code: 'HANDSHAKE_REJECTED', hint: /not followed/ });
  assert.equal(target.asked.length, 0);
});

test('a redirect leads to the same scheme or to TLS, and brings no credentials', () => {
  const from = parseTunnelUrl('wss://a.example/lab?key=x');
  assert.equal(redirectTarget(from, 'wss://b.example/lab').href, 'wss://b.example/lab?key=x');
  assert.equal(redirectTarget(from, 'https://b.example/?k=y').href, 'wss://b.example/?k=y');
  assert.equal(redirectTarget(from, '/other').href, 'wss://a.example/other?key=x');
  assert.equal(redirectTarget(parseTunnelUrl('ws://a.example/'), 'wss://b.example/').href, 'wss://b.example/');
  for (const bad of [
    'ws://b.example/',
    'http://b.example/',
    'wss://me:x@b.example/',
    'ftp://b.example/',
    'http://[',
    undefined,
  ]) {
    assert.throws(() => redirectTarget(from, bad), { code: 'HANDSHAKE_REJECTED' }, bad);
  }
});

test('with TLS only a client that verifies the server follows', () => {
  const [plain, secure] = [parseTunnelUrl('ws://a/'), parseTunnelUrl('wss://a/')];
  assert.equal(mayFollow(plain, {}), true);
  assert.equal(mayFollow(secure, {}), true);
  assert.equal(mayFollow(secure, { isInsecure: true }), false);
  assert.equal(mayFollow(secure, { isInsecure: true, pins: [] }), true);
  assert.equal(mayFollow(secure, { redirect: false }), false);
});

test('the answer of a node is a redirect of a node', () => {
  const { status, headers } = redirectTo('wss://b.example/');
  assert.equal(status, 307);
  assert.deepEqual(headers, { Location: 'wss://b.example/', 'Etherws-Redirect': '1' });
});

test('a node of which a server has told is bounded as a redirect of that server is', async (t) => {
  const { url, asked } = await redirecting(t, () => '/');
  const near = parseTunnelUrl(url);
  const far = { url: parseTunnelUrl('ws://r1.example/'), address: '192.0.2.1' };
  await assert.rejects(dialTunnel({ url: 'ws://r1.example/', lead: { to: near, from: far } }), {
    code: 'HANDSHAKE_REJECTED',
    message: /in this host: that is not followed/,
  });
  const lead = { to: parseTunnelUrl('ws://192.0.2.9:9/'), from: { url: near, address: '127.0.0.1' } };
  await assert.rejects(dialTunnel({ url, token: 'secret', lead }), {
    code: 'HANDSHAKE_REJECTED',
    message: /credentials do not go there/,
  });
  assert.equal(asked.length, 0);
});
