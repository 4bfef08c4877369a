import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type CertificateFiles, CertificateMaker } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once } from '../../test/support/waits.ts';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { AuthenticatorChain } from './authenticator-chain.ts';
import { ClientCertificateAuthenticator, commonName, readClientTrust } from './client-certificate.ts';
import { credentialsOf } from './request-credentials.ts';
import { loadServerIdentity } from './tls.ts';

const NOBODY: Credentials = { authorization: undefined, remoteAddress: '192.0.2.1' };

class Fixed implements Authenticator {
  readonly challenge: string;
  readonly #verdict: Verdict;
  asked = 0;
  closed = 0;

  constructor(challenge: string, verdict: 'missing' | 'wrong' | 'busy' | { user: string }) {
    this.challenge = challenge;
    this.#verdict =
      typeof verdict === 'string' ? { isAllowed: false, reason: verdict } : { isAllowed: true, ...verdict };
  }

  authenticate(): Promise<Verdict> {
    this.asked++;
    return Promise.resolve(this.#verdict);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

describe('a chain', () => {
  test('the first that lets in decides, and the others are not asked', async () => {
    const links = [new Fixed('a', 'wrong'), new Fixed('b', { user: 'ada' }), new Fixed('c', { user: 'eve' })];
    const chain = new AuthenticatorChain(links);
    assert.deepEqual(await chain.authenticate(NOBODY), { isAllowed: true, user: 'ada' });
    assert.deepEqual(
      links.map(({ asked }) => asked),
      [1, 1, 0],
    );
    await chain.close();
    assert.deepEqual(
      links.map(({ closed }) => closed),
      [1, 1, 1],
    );
  });

  test('of several refusals the most telling one', async () => {
    const reasons = ['missing', 'wrong', 'busy'] as const;
    for (const first of reasons) {
      for (const second of reasons) {
        const chain = new AuthenticatorChain([new Fixed('', first), new Fixed('', second)]);
        const reason = reasons[Math.max(reasons.indexOf(first), reasons.indexOf(second))];
        assert.deepEqual(await chain.authenticate(NOBODY), { isAllowed: false, reason });
      }
    }
  });

  test('challenges stand in one field; an empty chain is a mistake', () => {
    const links = ['Basic realm=etherws', '', 'Bearer realm="etherws"'].map(
      (challenge) => new Fixed(challenge, 'wrong'),
    );
    assert.equal(new AuthenticatorChain(links).challenge, 'Basic realm=etherws, Bearer realm="etherws"');
    assert.throws(() => new AuthenticatorChain([]), RangeError);
  });
});

describe('client certificates', { skip: missingTools('openssl') }, () => {
  function makerOf(t: TestContext): CertificateMaker {
    const maker = new CertificateMaker();
    t.after(() => maker.remove());
    return maker;
  }

  test('over real TLS: of our authority, of another, self-signed, none', async (t) => {
    const maker = makerOf(t);
    const [ours, others] = ['ours', 'others'].map((name) => maker.make({ name, isAuthority: true }));
    const { keyFile, certFile } = maker.make({ name: 'server', subjectAltName: 'DNS:localhost' });
    const identity = await loadServerIdentity(keyFile, certFile);
    const { options, authorities } = await readClientTrust(ours?.certFile ?? '');
    const door = new ClientCertificateAuthenticator(() => authorities);
    const server = createServer({ ...identity.options, ...options }, async (incoming, response) => {
      response.end(JSON.stringify(await door.authenticate(credentialsOf(incoming))));
    });
    t.after(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;

    const ask = async (files?: CertificateFiles): Promise<Verdict> => {
      const own = files && { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) };
      const trust = { ca: readFileSync(certFile), servername: 'localhost', agent: false } as const;
      const [response] = await once(request({ port, host: '127.0.0.1', ...trust, ...own }).end(), 'response');
      return JSON.parse(Buffer.concat(await response.toArray()).toString());
    };
    const named = (name: string, issuer: CertificateFiles | undefined, more = {}): CertificateFiles =>
      maker.make({ name, ...(issuer && { issuer }), ...more });
    const missing: Verdict = { isAllowed: false, reason: 'missing' };
    assert.deepEqual(await ask(named('ada', ours)), { isAllowed: true, user: 'ada' });
    assert.deepEqual(await ask(named('eve', others)), missing);
    assert.deepEqual(await ask(named('mallory', undefined)), missing);
    assert.deepEqual(await ask(named('late', ours, { days: -1 })), missing);
    assert.deepEqual(await ask(named('twice', ours, { subject: '/CN=ada/CN=eve' })), {
      isAllowed: false,
      reason: 'wrong',
    });
    assert.deepEqual(await ask(), missing);
  });

  test('which common names are users', (t) => {
    const maker = makerOf(t);
    const nameOf = (subject: string): string | undefined =>
      commonName(new X509Certificate(readFileSync(maker.make({ name: 'subject', subject }).certFile)));
    assert.equal(nameOf('/O=Example/CN=ada'), 'ada');
    assert.equal(nameOf('/CN=Lovelace, Ada'), 'Lovelace, Ada');
    assert.equal(nameOf('/CN=a"b'), 'a"b');
    assert.equal(nameOf('/O=Example'), undefined);
    assert.equal(nameOf('/CN=ada/CN=eve'), undefined);
    assert.equal(nameOf('/CN=ada\nCN=eve'), undefined);
    assert.equal(nameOf('/O=x\nCN=eve/CN=ada'), 'ada');
  });

  test('a common name beside another attribute, as OpenSSL renders it', () => {
    for (const subject of ['CN=ada+OU=x', 'OU=x+CN=ada', 'CN=ada + CN=eve', 'CN=ada\\', 'CN=']) {
      assert.equal(commonName({ subject } as X509Certificate), undefined, subject);
    }
  });
});
