import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type CertificateFiles, CertificateMaker, openssl } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { foreignFormat } from './foreign-format.ts';
import { readTokenKeys } from './token-keys.ts';

describe('formats that are not PEM', { skip: missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let pair: CertificateFiles;
  before(() => {
    maker = new CertificateMaker();
    pair = maker.make({ name: 'pair' });
  });
  after(() => maker.remove());

  function made(name: string, ...argv: readonly string[]): string {
    const path = maker.path(name);
    openssl([...argv, '-out', path]);
    return path;
  }

  /** Follows a hint of ours, as an operator would. @returns what it wrote */
  function followed(hint: string): string {
    const command = /^Convert it with: ([^(]*)/.exec(hint)?.[1] ?? '';
    const output = maker.path('followed.pem');
    const withPassword = command.replace('NEW.pem', output).trim().split(' ');
    if (withPassword[1] === 'pkcs12') withPassword.push('-passin', 'pass:');
    execFileSync(withPassword[0] ?? '', withPassword.slice(1), { stdio: 'pipe' });
    return readFileSync(output, 'utf8');
  }

  test('each is named, and the command of its hint makes PEM of it', () => {
    const { keyFile, certFile } = pair;
    const pkcs12 = made('pair.p12', 'pkcs12', '-export', '-inkey', keyFile, '-in', certFile, '-passout', 'pass:');
    const rsa = made('rsa.key', 'genpkey', '-algorithm', 'RSA');
    const utf16 = maker.path('utf16.pem');
    const text = readFileSync(certFile, 'utf8');
    writeFileSync(utf16, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]));
    const certificate = /-----BEGIN CERTIFICATE-----/;
    const key = /-----BEGIN PRIVATE KEY-----/;
    for (const [path, wanted, name, gives] of [
      [pkcs12, 'key', 'PKCS#12', key],
      [pkcs12, 'certificate', 'PKCS#12', certificate],
      [made('c.der', 'x509', '-in', certFile, '-outform', 'DER'), 'certificate', 'a certificate in DER', certificate],
      [made('k8.der', 'pkey', '-in', keyFile, '-outform', 'DER'), 'key', 'a key in DER', key],
      [made('ec.der', 'ec', '-in', keyFile, '-outform', 'DER'), 'key', 'a key in DER', key],
      [made('rsa.der', 'rsa', '-in', rsa, '-traditional', '-outform', 'DER'), 'key', 'a key in DER', key],
      [made('p7.pem', 'crl2pkcs7', '-nocrl', '-certfile', certFile), 'certificate', 'PKCS#7', certificate],
      [
        made('p7.der', 'crl2pkcs7', '-nocrl', '-certfile', certFile, '-outform', 'DER'),
        'certificate',
        'PKCS#7 in DER',
        certificate,
      ],
      [utf16, 'certificate', 'a text in UTF-16', certificate],
    ] as const) {
      const format = foreignFormat(path, readFileSync(path), wanted);
      assert.equal(format?.name, name, path);
      assert.match(followed(format?.hint ?? ''), gives, path);
    }
  });

  test('an encrypted key in DER, a key of OpenSSH, a Java key store', () => {
    const pass = ['-topk8', '-v2', 'aes256', '-passout', 'pass:x'];
    const encrypted = made('encrypted.der', 'pkcs8', '-in', pair.keyFile, ...pass, '-outform', 'DER');
    assert.equal(foreignFormat(encrypted, readFileSync(encrypted), 'key')?.name, 'a key in DER');
    const ssh = Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n');
    assert.equal(foreignFormat('id_ed25519', ssh, 'key')?.name, 'a key of OpenSSH');
    const store = Buffer.from('feedfeed0000000200000000', 'hex');
    assert.equal(foreignFormat('store.jks', store, 'key')?.name, 'a Java key store');
  });

  test('PEM is none of them, also behind text, nor is rubbish', () => {
    const pem = readFileSync(pair.certFile);
    const commented = Buffer.concat([Buffer.from('0\x82\x03\x10 a comment\n'), pem]);
    for (const octets of [pem, readFileSync(pair.keyFile), commented, Buffer.alloc(0), Buffer.from([0x30])]) {
      assert.equal(foreignFormat('file', octets, 'certificate'), undefined);
    }
  });

  test('keys of tokens in DER and PKCS#12 are named, too', () => {
    const publicKey = made('public.der', 'pkey', '-in', pair.keyFile, '-pubout', '-outform', 'DER');
    const pkcs12 = maker.path('copy.p12');
    copyFileSync(maker.path('pair.p12'), pkcs12);
    for (const path of [publicKey, pkcs12]) {
      assert.throws(() => readTokenKeys(path, readFileSync(path, 'utf8')), {
        code: 'TOKEN_KEYS_INVALID',
        message: /is DER or PKCS#12, and PEM is wanted/,
        hint: /openssl pkey -pubin -inform DER/,
      });
    }
  });
});
