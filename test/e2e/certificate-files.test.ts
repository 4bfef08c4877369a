import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { EtherwsError } from '../../src/errors.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { openClient } from '../../src/ports/tunnel/dial/open-client.ts';
import type { DialOptions } from '../../src/schema/dial-options.ts';
import { TestDaemon } from '../support/daemon.ts';
import { ETHERWS } from '../support/etherws.ts';
import { type CertificateFiles, CertificateMaker, openssl } from '../support/openssl.ts';
import { type Outcome, run } from '../support/process.ts';
import type { SwOptions } from '../support/sw-options.ts';
import { missingTools } from '../support/tools.ts';

const NAMES = 'IP:127.0.0.1,DNS:localhost';

describe('files of keys and certificates', { skip: missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let root: CertificateFiles;
  let intermediate: CertificateFiles;
  let server: CertificateFiles;
  let other: CertificateFiles;
  let chain: string;
  before(() => {
    maker = new CertificateMaker();
    root = maker.make({ name: 'root', isAuthority: true });
    intermediate = maker.make({ name: 'intermediate', isAuthority: true, issuer: root });
    other = maker.make({ name: 'other', isAuthority: true, issuer: root });
    server = maker.make({ name: 'server', subjectAltName: NAMES, issuer: intermediate });
    chain = maker.path('chain.pem');
    writeFileSync(chain, Buffer.concat([server, intermediate].map(({ certFile }) => readFileSync(certFile))));
  });
  after(() => maker.remove());

  function serve(t: TestContext, sslcert: string): Promise<TestDaemon> {
    const tls = { sslkey: server.keyFile, sslcert, ctlsslkey: server.keyFile, ctlsslcert: sslcert };
    return TestDaemon.start(t, { ...tls, ctlhost: '127.0.0.1' });
  }

  async function dial(running: TestDaemon, options: DialOptions): Promise<void> {
    const port = await openClient(`wss://127.0.0.1:${running.tunnelPort}/`, options, { logger: SILENT });
    await port.close('shutdown');
  }

  function ctl(running: TestDaemon, ...args: readonly string[]): Promise<Outcome> {
    const url = `https://127.0.0.1:${running.controlPort}/ctl`;
    return run([...ETHERWS, 'ctl', '--ctlurl', url, ...args, 'listport']);
  }

  for (const [name, fileOf] of [
    ['the root', () => root.certFile],
    ['an intermediate alone', () => intermediate.certFile],
    ['the certificate of the server itself', () => server.certFile],
  ] as const) {
    test(`--cacerts and --ctlsslcert of ctl: ${name} is enough`, async (t) => {
      const running = await serve(t, chain);
      await dial(running, { cacerts: fileOf() });
      const { status, stderr } = await ctl(running, '--ctlsslcert', fileOf());
      assert.equal(status, 0, stderr);
    });
  }

  test('another intermediate of the same root vouches for nothing, and a server that does not send its own is told so', async (t) => {
    const running = await serve(t, chain);
    const untrusted = { code: 'CERTIFICATE_UNTRUSTED', hint: /--cacerts FILE/ };
    await assert.rejects(dial(running, { cacerts: other.certFile }), untrusted);
    assert.match((await ctl(running, '--ctlsslcert', other.certFile)).stderr, /CERTIFICATE_UNTRUSTED|unknown here/);
    const bare = await serve(t, server.certFile);
    await assert.rejects(dial(bare, { cacerts: root.certFile }), {
      ...untrusted,
      hint: /A server must also send its intermediate certificates/,
    });
  });

  test('--client-ca with an intermediate alone says that its root is missing', async (t) => {
    const tls = { sslkey: server.keyFile, sslcert: chain };
    const { logText } = await TestDaemon.start(t, { ...tls, clientCa: intermediate.certFile });
    assert.match(logText, /CN=intermediate.*verifies no client without its issuer: add the certificate of .*CN=root/);
    const whole = maker.path('whole.pem');
    writeFileSync(whole, Buffer.concat([intermediate, root].map(({ certFile }) => readFileSync(certFile))));
    assert.doesNotMatch((await TestDaemon.start(t, { ...tls, clientCa: whole })).logText, /verifies no client/);
  });

  test('each option says of a PKCS#12 file and of DER what it is, and what to do', async (t) => {
    const running = await serve(t, chain);
    const { keyFile, certFile } = server;
    const pkcs12 = maker.path('server.p12');
    openssl(['pkcs12', '-export', '-inkey', keyFile, '-in', certFile, '-passout', 'pass:x', '-out', pkcs12]);
    const [keyDer, certDer] = [maker.path('key.der'), maker.path('cert.der')];
    openssl(['pkey', '-in', keyFile, '-outform', 'DER', '-out', keyDer]);
    openssl(['x509', '-in', certFile, '-outform', 'DER', '-out', certDer]);
    const tls = { sslkey: keyFile, sslcert: chain };
    const control = { ctlsslkey: keyFile, ctlsslcert: chain };
    const start = async (options: SwOptions): Promise<string> => {
      try {
        await TestDaemon.start(t, options);
      } catch (error) {
        assert.ok(error instanceof EtherwsError, String(error));
        return `${error.message}. ${error.hint}`;
      }
      throw new Error('it started');
    };
    const dialled = async (options: DialOptions): Promise<string> => {
      try {
        await dial(running, options);
      } catch (error) {
        assert.ok(error instanceof EtherwsError, String(error));
        return `${error.message}. ${error.hint}`;
      }
      throw new Error('it dialled');
    };
    const cases: readonly [string, 'key' | 'certificate', (file: string) => Promise<string>][] = [
      ['--sslkey', 'key', (file) => start({ ...tls, sslkey: file })],
      ['--sslcert', 'certificate', (file) => start({ ...tls, sslcert: file })],
      ['--client-ca', 'certificate', (file) => start({ ...tls, clientCa: file })],
      ['--ctlsslkey', 'key', (file) => start({ ...control, ctlsslkey: file })],
      ['--ctlsslcert', 'certificate', (file) => start({ ...control, ctlsslcert: file })],
      ['--ctlclient-ca', 'certificate', (file) => start({ ...control, ctlclientCa: file })],
      ['--cacerts', 'certificate', (file) => dialled({ cacerts: file })],
      ['--cert', 'certificate', (file) => dialled({ cacerts: root.certFile, key: keyFile, cert: file })],
      ['--key', 'key', (file) => dialled({ cacerts: root.certFile, key: file, cert: certFile })],
      ['--ctlsslcert of ctl', 'certificate', async (file) => (await ctl(running, '--ctlsslcert', file)).stderr],
    ];
    for (const [option, wanted, tryWith] of cases) {
      const said = await tryWith(pkcs12);
      assert.match(said, /server\.p12 is PKCS#12, and PEM is wanted/, option);
      assert.match(said, wanted === 'key' ? /openssl pkcs12 .* -nocerts/ : /openssl pkcs12 .* -nokeys/, option);
      const ofDer = await tryWith(wanted === 'key' ? keyDer : certDer);
      assert.match(ofDer, wanted === 'key' ? /is a key in DER/ : /is a certificate in DER/, option);
      assert.match(ofDer, wanted === 'key' ? /openssl pkey -inform DER/ : /openssl x509 -inform DER/, option);
    }
  });
});
