import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createAuthority } from '../../../../test/support/certificates.ts';
import { PortRecorder } from '../../../../test/support/port-recorder.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { listen, stop, TestTunnelServer, webServer } from '../../../../test/support/web-socket-peer.ts';
import { publicKeyPin } from '../../../auth/public-key-pin.ts';
import { EtherwsError } from '../../../errors.ts';
import { SILENT } from '../../../observability/logger.ts';
import type { DialOptions } from '../../../schema/dial-options.ts';
import { type DialTunnelOptions, dialTunnel } from './dial-tunnel.ts';
import { openClient } from './open-client.ts';

/** Dials, and returns the request that the server received. */
async function seen(server: TestTunnelServer, options: DialTunnelOptions): Promise<IncomingMessage> {
  let request: IncomingMessage | undefined;
  server.server.once('upgrade', (upgrade) => {
    request = upgrade;
  });
  const port = await dialTunnel(options);
  const accepted = await server.nextPort();
  await Promise.all([port.close(), accepted.close()]);
  assert.ok(request !== undefined);
  return request;
}

describe('what is said to the server', () => {
  let server: TestTunnelServer;
  before(async () => {
    server = new TestTunnelServer();
    await server.start();
  });
  after(() => server.stop());

  test('header fields, also twice', async () => {
    const headers = [
      ['X-Site', 'a'],
      ['x-site', 'b'],
      ['X-Other', 'c: d'],
    ] as const;
    const request = await seen(server, { url: server.url, headers });
    assert.equal(request.headers['x-site'], 'a, b');
    assert.equal(request.headers['x-other'], 'c: d');
  });

  test('a bearer token', async () => {
    const request = await seen(server, { url: server.url, token: 'abc.def' });
    assert.equal(request.headers.authorization, 'Bearer abc.def');
    await assert.rejects(dialTunnel({ url: server.url, token: 'x', user: 'me' }), { code: 'ARGUMENT_INVALID' });
  });

  test('the address that is dialled from', async () => {
    let from: string | undefined;
    server.server.once('connection', (socket) => {
      from = socket.remoteAddress;
    });
    await seen(server, { url: server.url, bindAddress: '127.0.0.9' });
    assert.equal(from, '127.0.0.9');
    await assert.rejects(dialTunnel({ url: server.url, bindAddress: '192.0.2.1' }), { code: 'HOST_UNREACHABLE' });
  });
});

describe('a name with several addresses', () => {
  /** A resolver that answers with the given addresses. */
  const lookupOf =
    (...addresses: readonly string[]): LookupFunction =>
    (_name, _options, callback) => {
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };

  for (const scheme of ['ws', 'wss'] as const) {
    test(`${scheme}: the next one is tried when one refuses or says nothing`, {
      skip: missingTools('openssl'),
    }, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'etherws-dial-'));
      t.after(() => rmSync(directory, { recursive: true }));
      const authority = await createAuthority(directory);
      const files = await authority.issue('several', ['several.example']);
      const identity = { key: readFileSync(files.key, 'utf8'), cert: readFileSync(files.certificate, 'utf8') };
      const server = new TestTunnelServer({}, scheme === 'wss' ? identity : undefined);
      await server.start();
      const url = server.url.replace('127.0.0.1', 'several.example');
      const cacerts = readFileSync(authority.certificate, 'utf8');
      // Nothing listens at ::1; 240.0.0.1 is reserved, so that no host answers there.
      await seen(server, { url, cacerts, lookup: lookupOf('::1', '127.0.0.1') });
      await seen(server, { url, cacerts, lookup: lookupOf('240.0.0.1', '127.0.0.1') });
      await server.stop();
    });
  }
});

describe('TLS', { skip: missingTools('openssl') }, () => {
  let directory: string;
  let ca: string;
  let caFile: string;
  let files: { key: string; certificate: string };
  let other: { key: string; certificate: string };
  let server: TestTunnelServer;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'etherws-dial-'));
    const authority = await createAuthority(directory);
    caFile = authority.certificate;
    ca = readFileSync(caFile, 'utf8');
    files = await authority.issue('switch', ['switch.example']);
    other = await authority.issue('other', ['other.example']);
    server = new TestTunnelServer(
      {},
      { key: readFileSync(files.key, 'utf8'), cert: readFileSync(files.certificate, 'utf8') },
    );
    await server.start();
  });
  after(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  const pinOf = (file: string): string => publicKeyPin(new X509Certificate(readFileSync(file)));

  test('--servername is asked for, and verified instead of the name of the URL', async () => {
    const request = await seen(server, { url: server.url, cacerts: ca, servername: 'switch.example' });
    assert.equal((request.socket as TLSSocket & { servername: string }).servername, 'switch.example');
    await assert.rejects(dialTunnel({ url: server.url, cacerts: ca, servername: 'else.example' }), {
      code: 'CERTIFICATE_NAME_MISMATCH',
    });
  });

  test('a pinned key needs no authority, and another key is refused before anything is sent', async () => {
    await seen(server, { url: server.url, pins: [pinOf(other.certificate), pinOf(files.certificate)] });
    let requests = 0;
    const count = (): void => void requests++;
    server.server.on('upgrade', count);
    for (const isInsecure of [false, true]) {
      await assert.rejects(dialTunnel({ url: server.url, isInsecure, pins: [pinOf(other.certificate)] }), {
        code: 'CERTIFICATE_PIN_MISMATCH',
      });
    }
    server.server.off('upgrade', count);
    assert.equal(requests, 0);
    await assert.rejects(dialTunnel({ url: server.url, pins: [pinOf(files.certificate)], cacerts: ca }), {
      code: 'CERTIFICATE_NAME_MISMATCH',
    });
    await assert.rejects(dialTunnel({ url: 'ws://a/', pins: [pinOf(files.certificate)] }), /has no TLS/);
  });

  test('a client certificate is shown', async () => {
    const users: string[] = [];
    const identity = { key: readFileSync(files.key), cert: readFileSync(files.certificate) };
    const asking = createHttpsServer({ ...identity, ca, requestCert: true, rejectUnauthorized: false });
    asking.on('upgrade', (request: IncomingMessage, socket) => {
      users.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN));
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    });
    const listenPort = await listen(asking);
    const options: DialOptions = {
      servername: 'switch.example',
      cacerts: caFile,
      cert: other.certificate,
      key: other.key,
    };
    const dialled = openClient(`wss://127.0.0.1:${listenPort}/`, options, { logger: SILENT });
    await assert.rejects(dialled, { code: 'TUNNEL_FORBIDDEN' });
    await stop(asking);
    assert.deepEqual(users, ['other']);
  });
});

describe('a client port that is asked for', () => {
  const context = { logger: SILENT };

  test('takes the first URL that can be had, and says which', async () => {
    const server = new TestTunnelServer();
    await server.start();
    const dead = webServer();
    const listenPort = await listen(dead);
    await stop(dead);
    const port = await openClient(`ws://127.0.0.1:${listenPort}/`, { alternatives: [server.url] }, context);
    const accepted = await server.nextPort();
    assert.equal(port.target, `ws://127.0.0.1:${listenPort}/`);
    assert.equal(port.details.connection?.url, server.url);
    port.open(new PortRecorder());
    await Promise.all([port.close(), accepted.close()]);
    await server.stop();
  });

  test('that can be had nowhere says what is wrong with each', async () => {
    const failed = openClient('ws://nobody.invalid/', { alternatives: ['ws://nowhere.invalid/'] }, context);
    await assert.rejects(failed, (error: EtherwsError) => {
      assert.equal(error.code, 'NAME_UNRESOLVED');
      assert.match(error.message, /nobody\.invalid.*; .*nowhere\.invalid/);
      return true;
    });
  });

  test('with --no-wait is there at once, but not with what cannot be', async () => {
    const port = await openClient('ws://nobody.invalid/', { wait: false }, context);
    assert.match(port.linkReason ?? '', /dialling/);
    await port.close();
    const wrong: readonly DialOptions[] = [
      { proxy: 'ftp://a' },
      { pin: 'sha256//AAAA' },
      { cert: '/nowhere' },
      { cacerts: '/nowhere' },
      { cert: '/nowhere', key: '/nowhere' },
    ];
    for (const options of wrong) {
      await assert.rejects(openClient('wss://a/', { wait: false, ...options }, context), EtherwsError);
    }
  });

  test('goes by the proxy of the environment, unless it is to be direct', async () => {
    const server = new TestTunnelServer();
    await server.start();
    const environment = { HTTP_PROXY: 'http://127.0.0.1:1' };
    await assert.rejects(openClient(server.url, {}, { ...context, environment }), { code: 'PROXY_UNREACHABLE' });
    for (const [options, variables] of [
      [{ proxy: 'direct' }, environment],
      [{}, { ...environment, no_proxy: '127.0.0.0/8' }],
    ] as const) {
      const port = await openClient(server.url, options, { ...context, environment: variables });
      await Promise.all([port.close(), (await server.nextPort()).close()]);
    }
    await server.stop();
  });
});
