import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { type CertificateFiles, CertificateMaker, openssl } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once } from '../../test/support/waits.ts';
import type { Logger } from '../observability/logger.ts';
import { readCaCerts } from './certificate-file.ts';
import { certificateNames } from './certificate-names.ts';
import { chainWarnings, loadServerIdentity } from './tls.ts';

describe('keys and certificates of the openssl tool', { skip: missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let authority: CertificateFiles;
  let server: CertificateFiles;
  before(() => {
    maker = new CertificateMaker();
    authority = maker.make({ name: 'authority', isAuthority: true });
    server = maker.make({ name: 'server', subjectAltName: 'DNS:localhost,IP:127.0.0.1', issuer: authority });
  });
  after(() => maker.remove());

  function write(name: string, content: string | Uint8Array): string {
    writeFileSync(maker.path(name), content);
    return maker.path(name);
  }

  function certificateOf({ certFile }: CertificateFiles): X509Certificate {
    return new X509Certificate(readFileSync(certFile));
  }

  async function warningsOf({ keyFile, certFile }: CertificateFiles): Promise<string[]> {
    const warnings: string[] = [];
    const silent = (): void => undefined;
    const warn = (_fields: object, message: string): void => void warnings.push(message);
    const logger: Logger = { debug: silent, info: silent, warn, error: silent, isLevelEnabled: () => true };
    await loadServerIdentity(keyFile, certFile, logger);
    return warnings;
  }

  const rejects = (keyFile: string, certFile: string, message: RegExp, hint: RegExp): Promise<void> =>
    assert.rejects(loadServerIdentity(keyFile, certFile), { code: 'CERTIFICATE_INVALID', message, hint });

  test('a good pair serves TLS 1.2 and later, to clients that trust what readCaCerts read', async (t) => {
    const identity = await loadServerIdentity(server.keyFile, server.certFile);
    assert.deepEqual(identity.names, ['localhost', '127.0.0.1']);
    const https = createServer(identity.options);
    t.after(() => https.close());
    https.on('tlsClientError', () => undefined);
    await once(https.listen(0, '127.0.0.1'), 'listening');
    const { port } = https.address() as AddressInfo;
    const unrelated = maker.make({ name: 'unrelated', isAuthority: true });
    const both = [unrelated, authority].map(({ certFile }) => readFileSync(certFile, 'utf8')).join('');
    const ca = await readCaCerts(write('authorities.pem', both));
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = connect({ port, host: '127.0.0.1', ca, minVersion: version, maxVersion: version });
      await once(socket, 'secureConnect');
      assert.equal(socket.authorized, true);
      socket.destroy();
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const [error] = await once(connect({ port, host: '127.0.0.1', ca, ...old }), 'error');
    assert.match(String(error.code), /PROTOCOL_VERSION/);
  });

  test('a key of another certificate', () =>
    rejects(authority.keyFile, server.certFile, /does not belong to the certificate/, /Give the key with which/));

  test('a chain in the wrong order', () => {
    const chain = write(
      'reversed.crt',
      readFileSync(authority.certFile, 'utf8') + readFileSync(server.certFile, 'utf8'),
    );
    return rejects(
      server.keyFile,
      chain,
      /does not belong/,
      /belongs to certificate 2 of that file: put that one first/,
    );
  });

  test('key and certificate exchanged', async () => {
    await rejects(server.certFile, server.certFile, /holds no private key/, /exchanged/);
    await rejects(server.keyFile, server.keyFile, /holds no certificate/, /exchanged/);
  });

  test('a key with a passphrase, in both forms', async () => {
    const modern = maker.path('encrypted.key');
    openssl(['pkcs8', '-topk8', '-in', server.keyFile, '-out', modern, '-passout', 'pass:secret']);
    await rejects(modern, server.certFile, /protected by a passphrase/, /openssl pkey -in/);
    const traditional = maker.path('traditional.key');
    openssl(['ec', '-aes128', '-in', server.keyFile, '-out', traditional, '-passout', 'pass:secret']);
    await rejects(traditional, server.certFile, /protected by a passphrase/, /openssl pkey -in/);
  });

  test('rubbish, and a certificate that was cut', async () => {
    await rejects(write('rubbish', 'rubbish'), server.certFile, /holds no private key/, /BEGIN PRIVATE KEY/);
    await rejects(server.keyFile, write('rubbish', 'rubbish'), /holds no certificate in PEM form/, /BEGIN CERTIFICATE/);
    const pem = readFileSync(server.certFile, 'utf8');
    const cut = write('cut.crt', pem.replace(/\n[^\n]+\n[^\n]+\n-----END/, '\n-----END'));
    await rejects(server.keyFile, cut, /Certificate 1 in .* cannot be read/, /cut off/);
  });

  test('a key that is too short', async () => {
    const keyFile = maker.path('short.key');
    const certFile = maker.path('short.crt');
    const output = ['-keyout', keyFile, '-out', certFile];
    openssl(['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-subj', '/CN=short', ...output]);
    await rejects(keyFile, certFile, /OpenSSL does not take/, /2048 bits/);
  });

  test('files that are not there', async () => {
    const unreadable = { code: 'FILE_UNREADABLE', message: /ENOENT/ };
    await assert.rejects(loadServerIdentity(maker.path('no.key'), server.certFile), unreadable);
    await assert.rejects(loadServerIdentity(server.keyFile, maker.path('no.crt')), unreadable);
    await assert.rejects(readCaCerts(maker.path('no.crt')), unreadable);
  });

  test('warnings: an expired certificate, a key that every user may read, a chain with a gap', async () => {
    chmodSync(server.keyFile, 0o600);
    assert.deepEqual(await warningsOf(server), []);
    const expired = maker.make({ name: 'expired', days: -1 });
    chmodSync(expired.keyFile, 0o644);
    appendFileSync(expired.certFile, readFileSync(authority.certFile));
    const warnings = await warningsOf(expired);
    assert.equal(warnings.length, 3);
    assert.match(warnings[0] ?? '', /Every user of this host may read the key/);
    assert.match(warnings[1] ?? '', /the certificate expired at/);
    assert.match(warnings[2] ?? '', /certificate 2 is not the issuer/);
    const early = chainWarnings([certificateOf(server)], 0);
    assert.match(early.join(), /is not valid before/);
  });

  test('readCaCerts keeps every certificate and nothing else', async () => {
    const text = [authority.certFile, server.keyFile, server.certFile].map((path) => readFileSync(path, 'utf8'));
    const ca = await readCaCerts(write('bundle.pem', `# a comment\n${text.join('and text\n')}`));
    assert.equal(ca.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.ok(!ca.includes('PRIVATE KEY'));
    const keyOnly = readCaCerts(server.keyFile);
    await assert.rejects(keyOnly, { code: 'CERTIFICATE_INVALID', message: /holds no certificate/ });
  });

  test('names: DNS, wildcards, addresses; the common name only without DNS names', () => {
    const names = (request: { subject?: string; subjectAltName?: string }): string[] =>
      certificateNames(certificateOf(maker.make({ name: 'names', ...request })));
    const subject = '/O=Example/CN=Common.Example';
    const subjectAltName = 'DNS:A.example,DNS:*.b.example,IP:192.0.2.1,IP:2001:db8::1,DNS:A.example';
    assert.deepEqual(names({ subject, subjectAltName }), [
      'a.example',
      '*.b.example',
      '192.0.2.1',
      '2001:db8:0:0:0:0:0:1',
    ]);
    assert.deepEqual(names({ subject }), ['common.example']);
    assert.deepEqual(names({ subject, subjectAltName: 'IP:192.0.2.1' }), ['192.0.2.1', 'common.example']);
    assert.deepEqual(names({ subject: '/CN=Ada Lovelace' }), []);
  });
});

test('a name that imitates the separators of the rendering yields no name', () => {
  const rendered = (subjectAltName: string): X509Certificate => ({ subject: '', subjectAltName }) as X509Certificate;
  assert.deepEqual(certificateNames(rendered('DNS:"a.example, DNS:b.example", DNS:c.example')), ['c.example']);
  assert.deepEqual(
    certificateNames(rendered('DNS:"a\\", DNS:b.example", email:a@b.example, URI:http://d.example')),
    [],
  );
});
