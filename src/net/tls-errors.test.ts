import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { type CertificateFiles, CertificateMaker } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { within } from '../../test/support/waits.ts';
import { listen, stop } from '../../test/support/web-socket-peer.ts';
import { EtherwsError } from '../errors.ts';
import { CLIENT_TRUST_OPTIONS, CONTROL_TRUST_OPTIONS, explainTlsError } from './tls-errors.ts';

/** Serves one handshake and gives what the client was told. */
async function dialError(server: Server, options: tls.ConnectionOptions): Promise<unknown> {
  const port = await listen(server);
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ...options });
  try {
    const told = new Promise<unknown>((resolve) => {
      socket.once('error', resolve);
      // TLS 1.3: a server refuses the client's certificate after the client is done.
      socket.once('data', () => resolve(undefined));
    });
    return await within(told, 'error or data of the TLS connection');
  } finally {
    socket.destroy();
    await stop(server);
  }
}

function tlsServer(files: CertificateFiles, options: tls.TlsOptions = {}): Server {
  const pair = { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) };
  const server = tls.createServer({ ...pair, ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('welcome');
  });
  server.on('tlsClientError', () => undefined);
  return server;
}

function explained(error: unknown, names = CLIENT_TRUST_OPTIONS): EtherwsError {
  const result = explainTlsError(error, 'localhost', names);
  assert.ok(result instanceof EtherwsError, `not explained: ${String(error)}`);
  assert.equal(result.cause, error);
  return result;
}

describe('explainTlsError, against real handshakes', { skip: missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let authority: CertificateFiles;
  let selfSigned: CertificateFiles;
  before(() => {
    maker = new CertificateMaker();
    authority = maker.make({ name: 'authority', isAuthority: true });
    selfSigned = maker.make({ name: 'self', subjectAltName: 'DNS:localhost' });
  });
  after(() => maker.remove());

  test('a self-signed certificate is untrusted and the hint names the options of the caller', async () => {
    const error = await dialError(tlsServer(selfSigned), {});
    assert.equal(explained(error).code, 'CERTIFICATE_UNTRUSTED');
    assert.match(explained(error).message, /localhost is self-signed/);
    assert.match(explained(error).hint ?? '', /--cacerts FILE.*--insecure/);
    assert.match(explained(error, CONTROL_TRUST_OPTIONS).hint ?? '', /--ctlsslcert FILE.*--ctlinsecure/);
  });

  test('the same certificate, once trusted, is no error', async () => {
    assert.equal(await dialError(tlsServer(selfSigned), { ca: readFileSync(selfSigned.certFile) }), undefined);
  });

  test('an unknown authority: leaf alone, and with its chain', async () => {
    const leaf = maker.make({ name: 'leaf', subjectAltName: 'DNS:localhost', issuer: authority });
    assert.equal(explained(await dialError(tlsServer(leaf), {})).code, 'CERTIFICATE_UNTRUSTED');
    const chain = readFileSync(leaf.certFile, 'utf8') + readFileSync(authority.certFile, 'utf8');
    const withChain = await dialError(tlsServer(leaf, { cert: chain }), {});
    assert.equal(explained(withChain).code, 'CERTIFICATE_UNTRUSTED');
    assert.match(explained(withChain).message, /authority that is not trusted/);
  });

  test('a name mismatch says which names the certificate has', async () => {
    const other = maker.make({ name: 'other', subjectAltName: 'DNS:other.example,IP:192.0.2.1', issuer: authority });
    const error = explained(await dialError(tlsServer(other), { ca: readFileSync(authority.certFile) }));
    assert.equal(error.code, 'CERTIFICATE_NAME_MISMATCH');
    assert.match(error.message, /not for localhost but for other\.example, 192\.0\.2\.1/);
  });

  test('an expired certificate is invalid', async () => {
    const expired = maker.make({ name: 'expired', subjectAltName: 'DNS:localhost', issuer: authority, days: -1 });
    const error = explained(await dialError(tlsServer(expired), { ca: readFileSync(authority.certFile) }));
    assert.equal(error.code, 'CERTIFICATE_INVALID');
    assert.match(error.message, /expired/);
  });

  test('a plain-text port does not speak TLS', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
    const error = explained(await dialError(server, {}));
    assert.equal(error.code, 'TLS_FAILED');
    assert.match(error.message, /does not speak TLS/);
    assert.match(error.hint ?? '', /ws:\/\//);
  });

  test('a port that hangs up during the handshake', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.destroy());
    });
    const error = explained(await dialError(server, {}));
    assert.equal(error.code, 'TLS_FAILED');
    assert.match(error.message, /closed the connection during the TLS handshake/);
  });

  test('no common version', async () => {
    const server = tlsServer(selfSigned, { maxVersion: 'TLSv1.2' });
    const error = explained(await dialError(server, { minVersion: 'TLSv1.3' }));
    assert.equal(error.code, 'TLS_FAILED');
    assert.match(error.message, /no TLS version in common/);
  });

  test('no common cipher', async () => {
    const server = tlsServer(selfSigned, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
    const error = explained(await dialError(server, { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }));
    assert.equal(error.code, 'TLS_FAILED');
    assert.match(error.message, /no cipher in common/);
  });

  test('a server that wants a client certificate', async () => {
    const server = tlsServer(selfSigned, { requestCert: true, ca: readFileSync(authority.certFile) });
    const error = explained(await dialError(server, { ca: readFileSync(selfSigned.certFile) }));
    assert.equal(error.code, 'TLS_FAILED');
    assert.match(error.message, /refused the certificate of this side/);
  });
});

test('errors of other kinds are left to others', () => {
  for (const error of [undefined, null, 'x', new Error('x'), Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]) {
    assert.equal(explainTlsError(error, 'localhost', CLIENT_TRUST_OPTIONS), undefined);
  }
});

test('every verdict of chain verification that Node can give is explained', () => {
  // The names are those of Node's X509ErrorCode table.
  const verdicts =
    'UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_DECRYPT_CERT_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE ' +
    'CERT_NOT_YET_VALID CERT_HAS_EXPIRED ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD ' +
    'DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_ISSUER_CERT_LOCALLY ' +
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED INVALID_CA PATH_LENGTH_EXCEEDED ' +
    'INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED HOSTNAME_MISMATCH UNSPECIFIED';
  for (const code of verdicts.split(' ')) {
    const error = explained(Object.assign(new Error('verdict'), { code }));
    assert.match(error.code, /^CERTIFICATE_/);
    assert.match(error.message, /localhost/);
    assert.notEqual(error.hint, undefined);
  }
});
