import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SILENT } from '../../src/observability/logger.ts';
import { openClient } from '../../src/ports/tunnel/dial/open-client.ts';
import { TestDaemon } from '../support/daemon.ts';
import { ETHERWS } from '../support/etherws.ts';
import { type CertificateFiles, CertificateMaker, openssl } from '../support/openssl.ts';
import { Process, run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

/** Suites of TLS 1.2 by their names in openssl, by the kind of encryption. */
interface Suites {
  readonly authenticated: readonly string[];
  readonly others: readonly string[];
}

describe('suites of TLS 1.2, with the openssl tool', { skip: missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let suites: Suites;
  const pairs = new Map<string, CertificateFiles>();
  before(() => {
    maker = new CertificateMaker();
    const subjectAltName = 'IP:127.0.0.1';
    pairs.set('ECDSA', maker.make({ name: 'ecdsa', subjectAltName }));
    const rsa = { keyFile: maker.path('rsa.key'), certFile: maker.path('rsa.crt') };
    const names = ['-subj', '/CN=rsa', '-addext', `subjectAltName=${subjectAltName}`];
    openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names, '-keyout', rsa.keyFile, '-out', rsa.certFile]);
    pairs.set('RSA', rsa);
    const lines = openssl(['ciphers', '-s', '-tls1_2', '-v', 'ALL:@SECLEVEL=0']).trim().split('\n');
    const named = (isWanted: (line: string) => boolean): string[] =>
      lines.filter(isWanted).map((line) => line.split(' ')[0] ?? '');
    const isAuthenticated = (line: string): boolean => /Mac=AEAD/.test(line);
    suites = { authenticated: named(isAuthenticated), others: named((line) => !isAuthenticated(line)) };
    assert.ok(suites.others.includes('ECDHE-ECDSA-AES128-SHA256') && suites.others.includes('AES128-SHA'));
  });
  after(() => maker.remove());

  function pair(kind: string): CertificateFiles {
    const files = pairs.get(kind);
    assert.ok(files !== undefined);
    return files;
  }

  for (const kind of ['ECDSA', 'RSA']) {
    test(`${kind}: neither service takes a suite of CBC or with a static key, also behind a reload`, async (t) => {
      const { keyFile, certFile } = pair(kind);
      const tls = { sslkey: keyFile, sslcert: certFile, ctlsslkey: keyFile, ctlsslcert: certFile };
      const running = await TestDaemon.start(t, { ...tls, ctlhost: '127.0.0.1' });
      const statusOf = async (port: number, offered: readonly string[]): Promise<[number | null, string]> => {
        const to = ['-connect', `127.0.0.1:${port}`, '-tls1_2', '-cipher', `${offered.join(':')}:@SECLEVEL=0`];
        const { status, stdout, stderr } = await run(['openssl', 's_client', ...to], { input: '' });
        return [status, stdout + stderr];
      };
      for (const port of [running.tunnelPort, running.controlPort, running.tunnelPort, running.controlPort]) {
        const [status, said] = await statusOf(port, suites.others);
        assert.notEqual(status, 0, said);
        assert.match(said, /handshake failure/);
        const [staticStatus] = await statusOf(port, ['AES128-GCM-SHA256', 'AES256-GCM-SHA384']);
        assert.notEqual(staticStatus, 0, 'no forward secrecy');
        for (const suite of [`ECDHE-${kind}-AES128-GCM-SHA256`, `ECDHE-${kind}-CHACHA20-POLY1305`]) {
          assert.ok(suites.authenticated.includes(suite));
          assert.match((await statusOf(port, [...suites.others, suite]))[1], new RegExp(`Cipher is ${suite}`));
        }
        await running.daemon.reload();
      }
    });

    test(`${kind}: neither of our clients offers them`, async (t) => {
      const { keyFile, certFile } = pair(kind);
      const serve = async (cipher: string): Promise<{ server: Process; port: number }> => {
        const files = ['-key', keyFile, '-cert', certFile];
        const command = ['openssl', 's_server', ...files, '-accept', '127.0.0.1:0', '-tls1_2', '-cipher', cipher];
        const server = new Process(command, { isInteractive: true });
        t.after(() => server.end());
        const [, port] = await server.output(/ACCEPT 127\.0\.0\.1:(\d+)/);
        return { server, port: Number(port) };
      };
      const dialled = (port: number): Promise<string> =>
        openClient(`wss://127.0.0.1:${port}/`, { cacerts: certFile }, { logger: SILENT }).then(() => '', String);
      const called = async (port: number): Promise<string> => {
        const url = `https://127.0.0.1:${port}/ctl`;
        return (await run([...ETHERWS, 'ctl', '--ctlurl', url, '--ctlsslcert', certFile, 'listport'])).stderr;
      };
      const refusing = await serve(`${suites.others.join(':')}:@SECLEVEL=0`);
      for (const client of [dialled, called]) {
        assert.match(await client(refusing.port), /have no cipher in common/);
      }
      for (const client of [dialled, called]) {
        const { server, port } = await serve(`ECDHE-${kind}-AES128-GCM-SHA256`);
        const said = client(port);
        await server.output(new RegExp(`CIPHER is ECDHE-${kind}-AES128-GCM-SHA256`));
        // The peer speaks no HTTP.
        await server.end();
        assert.doesNotMatch(await said, /cipher/);
      }
    });
  }
});
