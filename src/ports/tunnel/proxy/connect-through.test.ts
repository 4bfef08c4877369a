import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { createAuthority } from '../../../../test/support/certificates.ts';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import {
  type ProxyOptions,
  startHttpProxy,
  startSocksProxy,
  type TestProxy,
} from '../../../../test/support/proxies.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { once } from '../../../../test/support/waits.ts';
import { listen, type ServerIdentity, stop, TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import { EtherwsError } from '../../../errors.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import { type DialTunnelOptions, dialTunnel } from '../dial/dial-tunnel.ts';
import { parseProxyUrl } from './proxy-url.ts';

const KINDS = [
  ['http', startHttpProxy],
  ['socks5h', startSocksProxy],
] as const;

let directory: string;
let identity: ServerIdentity;
let ca: string;
const skip = missingTools('openssl');

before(async () => {
  if (skip !== false) return;
  directory = mkdtempSync(join(tmpdir(), 'etherws-proxy-'));
  const authority = await createAuthority(directory);
  const { key, certificate } = await authority.issue('localhost', ['localhost']);
  identity = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
  ca = readFileSync(authority.certificate, 'utf8');
});
after(() => {
  if (skip === false) rmSync(directory, { recursive: true });
});

/** Dials with the options and asserts that a frame crosses the tunnel. */
async function carries(server: TestTunnelServer, options: DialTunnelOptions): Promise<void> {
  const port = await dialTunnel(options);
  const accepted = await server.nextPort();
  const events = new PortRecorder();
  accepted.open(events);
  port.open(new PortRecorder());
  assert.equal(port.send(batchOf(testFrame(1, 60)), 0), undefined);
  port.flush(true);
  await events.take(1);
  await Promise.all([port.close(), accepted.close()]);
}

for (const [kind, start] of KINDS) {
  describe(`a ${kind} proxy`, () => {
    let server: TestTunnelServer;
    let proxies: TestProxy[];
    beforeEach(async () => {
      proxies = [];
      server = new TestTunnelServer();
      await server.start();
    });
    afterEach(async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await server.stop();
    });

    const through = async (
      options: ProxyOptions = {},
      login = '',
    ): Promise<Pick<DialTunnelOptions, 'url' | 'proxy'>> => {
      const proxy = await start(options);
      proxies.push(proxy);
      const url = `${kind}://${login}127.0.0.1:${proxy.listenPort}`;
      return { url: server.url, proxy: parseProxyUrl(url, '--proxy') };
    };

    test('leads to a plain tunnel, and is told the name', async () => {
      await carries(server, await through());
      const options = await through();
      await carries(server, { ...options, url: server.url.replace('127.0.0.1', 'localhost') });
      assert.deepEqual(proxies.at(-1)?.asked, [`localhost:${new URL(server.url).port}`]);
    });

    test('leads to TLS, of which it sees nothing: the name is verified', { skip }, async () => {
      const secure = new TestTunnelServer({}, identity);
      await secure.start();
      const options = await through();
      const url = secure.url.replace('127.0.0.1', 'localhost');
      await carries(secure, { ...options, url, cacerts: ca });
      await assert.rejects(dialTunnel({ ...options, url: secure.url, cacerts: ca }), {
        code: 'CERTIFICATE_NAME_MISMATCH',
      });
      await secure.stop();
    });

    test('wants a user and a password', async () => {
      const login = { login: 'me:p@ss:ü' };
      await carries(server, await through(login, 'me:p%40ss%3A%C3%BC@'));
      for (const [given, message] of [
        ['', /wants a user and a password/],
        ['me:secret@', /refused a user and a password/],
      ] as const) {
        await assert.rejects(dialTunnel(await through(login, given)), (error: EtherwsError) => {
          assert.equal(error.code, 'PROXY_AUTH_FAILED');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message + error.hint, /secret/);
          return true;
        });
      }
    });

    test('refuses', async () => {
      const refusal = kind === 'http' ? 403 : 2;
      await assert.rejects(dialTunnel(await through({ refusal })), {
        code: 'PROXY_REFUSED',
        message: kind === 'http' ? /403 No/ : /its rules forbid it/,
      });
    });

    test('finds nothing there', async () => {
      const options = await through();
      const lost = createServer();
      const listenPort = await listen(lost);
      await stop(lost);
      await assert.rejects(dialTunnel({ ...options, url: `ws://127.0.0.1:${listenPort}/` }), {
        code: 'PROXY_REFUSED',
        message: kind === 'http' ? /502/ : /connection refused/,
      });
    });

    test('cannot be had', async () => {
      const options = await through();
      await proxies.pop()?.close();
      await assert.rejects(dialTunnel(options), { code: 'PROXY_UNREACHABLE', message: /Nothing listens/ });
      const unknown = parseProxyUrl(`${kind}://nobody.invalid`, '--proxy');
      await assert.rejects(dialTunnel({ ...options, proxy: unknown }), {
        code: 'PROXY_UNREACHABLE',
        message: /nobody\.invalid/,
      });
    });

    for (const [name, bytes] of [
      ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['silence and the end', ''],
    ] as const) {
      test(`is none: ${name}`, async () => {
        const other = createServer((socket) => {
          socket.on('error', () => undefined);
          socket.once('data', () => socket.end(bytes));
        });
        const listenPort = await listen(other);
        const options = { url: server.url, proxy: parseProxyUrl(`${kind}://127.0.0.1:${listenPort}`, '--proxy') };
        await assert.rejects(dialTunnel(options), { code: 'PROXY_FAILED' });
        await stop(other);
      });
    }

    test('says nothing, or is given up', async () => {
      const sockets: Socket[] = [];
      const mute = createServer((socket) => sockets.push(socket.resume().on('error', () => undefined)));
      const listenPort = await listen(mute);
      const options = { url: server.url, proxy: parseProxyUrl(`${kind}://127.0.0.1:${listenPort}`, '--proxy') };
      await assert.rejects(dialTunnel({ ...options, handshakeTimeoutMs: 50 }), {
        code: 'PROXY_UNREACHABLE',
        message: /within 0\.05 s/,
      });
      const controller = new AbortController();
      const dialling = dialTunnel({ ...options, signal: controller.signal });
      const reason = new EtherwsError('PORT_CLOSED', 'enough');
      dialling.catch(() => undefined);
      while (sockets.length < 2) await once(mute, 'connection');
      controller.abort(reason);
      await assert.rejects(dialling, reason);
      for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
      await stop(mute);
    });
  });
}

test('socks5 is told an address, IPv6 too', async () => {
  const server = new TestTunnelServer();
  await server.start('::1');
  const proxy = await startSocksProxy();
  const options = { proxy: parseProxyUrl(`socks5://127.0.0.1:${proxy.listenPort}`, '--proxy') };
  await carries(server, { ...options, url: server.url });
  await assert.rejects(dialTunnel({ ...options, url: 'ws://nobody.invalid/' }), { code: 'NAME_UNRESOLVED' });
  assert.deepEqual(proxy.asked, [`0:0:0:0:0:0:0:1:${new URL(server.url).port}`]);
  await proxy.close();
  await server.stop();
});

test('an http proxy that offers no Basic is called one', async () => {
  const server = new TestTunnelServer();
  await server.start();
  for (const login of ['', 'me:secret@']) {
    const proxy = await startHttpProxy({ login: 'x:y', challenges: ['NTLM', 'Negotiate'] });
    const options = {
      url: server.url,
      proxy: parseProxyUrl(`http://${login}127.0.0.1:${proxy.listenPort}`, '--proxy'),
    };
    await assert.rejects(dialTunnel(options), (error: EtherwsError) => {
      assert.equal(error.code, 'PROXY_AUTH_FAILED');
      assert.match(error.message, /offers only NTLM and Negotiate, and etherws knows only Basic/);
      assert.match(error.hint ?? '', /cntlm/);
      return true;
    });
    await proxy.close();
  }
  await server.stop();
});

test('an https proxy is verified itself', { skip }, async () => {
  const server = new TestTunnelServer({}, identity);
  await server.start();
  const proxy = await startHttpProxy({}, identity);
  const url = server.url.replace('127.0.0.1', 'localhost');
  const through = (host: string) => parseProxyUrl(`https://${host}:${proxy.listenPort}`, '--proxy');
  await carries(server, { url, proxy: through('localhost'), cacerts: ca });
  await assert.rejects(dialTunnel({ url, proxy: through('127.0.0.1'), cacerts: ca }), {
    code: 'PROXY_UNREACHABLE',
    message: /certificate/i,
  });
  await proxy.close();
  await server.stop();
});
