import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { createAuthority } from '../../../../test/support/certificates.ts';
import { fails, withServer } from '../../../../test/support/failing-dial.ts';
import { CertificateMaker } from '../../../../test/support/openssl.ts';
import { missingTools } from '../../../../test/support/tools.ts';
import { type ServerIdentity, TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import type { EtherwsError } from '../../../errors.ts';
import { connectTcp } from '../connect/connect-tcp.ts';
import { connectTls } from '../connect/connect-tls.ts';
import { DialAttempt } from '../connect/dial-attempt.ts';
import { type DialTunnelOptions, dialTunnel } from './dial-tunnel.ts';

describe('TLS', { skip: missingTools('openssl') }, () => {
  let directory: string;
  let identity: ServerIdentity & { ca: string };
  let otherCa: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'etherws-websocket-'));
    const authority = await createAuthority(directory);
    const other = await createAuthority(directory, 'another CA');
    const { key, certificate } = await authority.issue('localhost', ['localhost', 'switch.example']);
    identity = {
      key: readFileSync(key, 'utf8'),
      cert: readFileSync(certificate, 'utf8'),
      ca: readFileSync(authority.certificate, 'utf8'),
    };
    otherCa = readFileSync(other.certificate, 'utf8');
  });
  after(() => rmSync(directory, { recursive: true }));

  async function dial(options: Partial<DialTunnelOptions>, host = 'localhost'): Promise<void> {
    const server = new TestTunnelServer({}, identity);
    await server.start();
    try {
      const port = await dialTunnel({ url: server.url.replace('127.0.0.1', host), ...options });
      const accepted = await server.nextPort();
      await Promise.all([port.close(), accepted.close()]);
    } finally {
      await server.stop();
    }
  }

  test('a dial that is abandoned over TLS, as through an https proxy, leaves the process alive', async () => {
    const server = new TestTunnelServer({}, identity);
    await server.start();
    try {
      const attempt = new DialAttempt(new AbortController().signal);
      const socket = await connectTcp('127.0.0.1', Number(new URL(server.url).port), {}, attempt);
      const secured = await connectTls(socket, 'localhost', { cacerts: identity.ca }, attempt);
      await attempt.abandon();
      assert.deepEqual([socket.closed, secured.closed], [true, true]);
    } finally {
      await server.stop();
    }
  });

  test('a certificate that --cacerts vouches for', async () => {
    await dial({ cacerts: identity.ca });
    await dial({ cacerts: Buffer.from(identity.ca) });
  });

  test('--insecure takes any certificate and any name', async () => {
    await dial({ isInsecure: true });
    await dial({ isInsecure: true }, '127.0.0.1');
  });

  test('an authority that is not known', async () => {
    for (const cacerts of [undefined, otherCa, '']) {
      await assert.rejects(dial(cacerts === undefined ? {} : { cacerts }), (error: EtherwsError) => {
        assert.equal(error.code, 'CERTIFICATE_UNTRUSTED');
        assert.match(error.hint ?? '', /--cacerts/);
        return true;
      });
    }
  });

  test('a name that the certificate has not', async () => {
    await assert.rejects(dial({ cacerts: identity.ca }, '127.0.0.1'), (error: EtherwsError) => {
      assert.equal(error.code, 'CERTIFICATE_NAME_MISMATCH');
      assert.match(error.message, /localhost, switch\.example/);
      return true;
    });
  });

  test('a certificate that has expired', async () => {
    const maker = new CertificateMaker();
    try {
      const files = maker.make({ name: 'old', subjectAltName: 'DNS:localhost', days: -1 });
      const [key, cert] = [readFileSync(files.keyFile, 'utf8'), readFileSync(files.certFile, 'utf8')];
      const server = new TestTunnelServer({}, { key, cert });
      await server.start();
      const url = server.url.replace('127.0.0.1', 'localhost');
      await fails(server.server, { url, cacerts: cert }, 'CERTIFICATE_INVALID', /expired/);
      await server.stop();
    } finally {
      maker.remove();
    }
  });

  test('wss:// to a port without TLS', async () => {
    const server = new TestTunnelServer();
    await server.start();
    const url = server.url.replace('ws:', 'wss:');
    await fails(server.server, { url }, 'TLS_FAILED', /does not speak TLS/, /ws:\/\//);
    await server.stop();
  });

  test('ws:// to a port with TLS', async () => {
    const server = new TestTunnelServer({}, identity);
    await server.start();
    await fails(server.server, { url: server.url.replace('wss:', 'ws:') }, 'NOT_WEBSOCKET', /./, /wss:\/\//);
    await server.stop();
  });

  test('a server that knows only TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const server = createTlsServer({ ...identity, ...old });
    server.on('tlsClientError', () => undefined);
    await withServer(server, (authority) =>
      fails(server, { url: `wss://${authority}/`, cacerts: identity.ca }, 'TLS_FAILED', /TLS/),
    );
  });

  test('a server that hangs up during the handshake', async () => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.destroy()));
    await withServer(server, (authority) => fails(server, { url: `wss://${authority}/` }, 'TLS_FAILED', /closed|TLS/));
  });
});
