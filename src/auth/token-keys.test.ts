import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { keyPairOf } from '../../test/support/key-pair.ts';
import { CertificateMaker } from '../../test/support/openssl.ts';
import { missingTools } from '../../test/support/tools.ts';
import { EtherwsError } from '../errors.ts';
import { readTokenKeys } from './token-keys.ts';

const RSA = keyPairOf('rsa', { modulusLength: 2048 });
const EC = keyPairOf('ec', { namedCurve: 'P-256' });
const ED = keyPairOf('ed25519');
const SECRET = '0123456789abcdef0123456789abcdef';

const pem = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }));
const privatePem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));
const jwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), ...more });
const set = (...keys: unknown[]): string => JSON.stringify({ keys });
const algorithms = (text: string): string[] => readTokenKeys('keys', text).map(({ algorithm }) => algorithm);
const refuses = (text: string, message: RegExp): void =>
  assert.throws(() => readTokenKeys('keys', text), { code: 'TOKEN_KEYS_INVALID', message });

test('the kind of key decides on the algorithm', () => {
  assert.deepEqual(algorithms(pem(RSA.publicKey)), ['RS256']);
  assert.deepEqual(algorithms(`\n${pem(EC.publicKey)}\n`), ['ES256']);
  assert.deepEqual(algorithms(pem(ED.publicKey)), ['EdDSA']);
  assert.deepEqual(algorithms(`${SECRET}\n`), ['HS256']);
});

test('a secret is all of the text but its line end', () => {
  const [key] = readTokenKeys('keys', ` ${SECRET} \r\n`);
  assert.equal(key?.key.export().toString(), ` ${SECRET} `);
});

test('a certificate holds a public key', { skip: missingTools('openssl') }, (t) => {
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const { certFile } = maker.make({ name: 'issuer' });
  assert.deepEqual(algorithms(readFileSync(certFile, 'utf8')), ['ES256']);
});

test('a key set: names are kept, what is for other purposes is passed over', () => {
  const text = set(
    jwk(RSA.publicKey, { kid: 'one', use: 'sig', alg: 'RS256' }),
    jwk(EC.publicKey, { kid: 'two', key_ops: ['verify'] }),
    jwk(ED.publicKey, { alg: 'Ed25519' }),
    { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'three' },
    jwk(RSA.publicKey, { use: 'enc' }),
    jwk(RSA.publicKey, { alg: 'RS512' }),
    jwk(EC.publicKey, { key_ops: ['deriveKey'] }),
    jwk(keyPairOf('ec', { namedCurve: 'P-384' }).publicKey),
    { kty: 'future' },
    'rubbish',
    null,
  );
  const keys = readTokenKeys('keys', text).map(({ algorithm, id }) => [algorithm, id]);
  assert.deepEqual(keys, [
    ['RS256', 'one'],
    ['ES256', 'two'],
    ['EdDSA', undefined],
    ['HS256', 'three'],
  ]);
});

describe('refused, with a reason and without a part of the secret', () => {
  const short = keyPairOf('rsa', { modulusLength: 1024 }).publicKey;
  const cases: Record<string, readonly [string, RegExp]> = {
    'a private key': [privatePem(RSA.privateKey), /holds a private key/],
    'a private key in a set': [set(jwk(EC.privateKey, { kid: 'mine' })), /private part of key "mine"/],
    'a short RSA key': [pem(short), /RSA with less than 2048 bits/],
    'a curve that is not taken': [pem(keyPairOf('x25519').publicKey), /a key of the type x25519/],
    'a damaged PEM': [pem(RSA.publicKey).replace('MII', 'XXX'), /OpenSSL does not take it/],
    'a damaged key in a set': [set({ kty: 'RSA', n: 1, e: {} }), /key 1 cannot be read/],
    'a short secret': ['hunter2', /a secret of 7 bytes/],
    'a short secret in a set': [set({ kty: 'oct', k: 'aHVudGVyMg' }), /a secret of 7 bytes/],
    'an empty file': ['', /a secret of 0 bytes/],
    binary: ['\uFFFD'.repeat(40), /is not text/],
    'no JSON': ['{"keys": [', /is none/],
    'JSON without keys': ['{"key": []}', /without a list "keys"/],
    'a set without keys': [set(), /no key that can verify/],
    'too many keys': [set(...Array.from({ length: 17 }, () => jwk(ED.publicKey))), /17 keys, more than 16/],
  };
  for (const [what, [text, message]] of Object.entries(cases)) test(what, () => refuses(text, message));

  test('the secret is not repeated', () => {
    assert.throws(
      () => readTokenKeys('keys', 'hunter2'),
      (error: EtherwsError) => !JSON.stringify([error.message, error.hint]).includes('hunter2'),
    );
  });
});

test('whatever the file holds, reading it gives keys or an EtherwsError', () => {
  const member = fc.constantFrom('kty', 'use', 'key_ops', 'alg', 'kid', 'k', 'd', 'n', 'e', 'crv', 'x', 'y');
  const value = fc.oneof(fc.constantFrom('RSA', 'EC', 'OKP', 'oct', 'P-256', 'Ed25519', 'sig', 'AQAB'), fc.jsonValue());
  const sets = fc
    .array(fc.oneof(fc.dictionary(member, value), fc.jsonValue()), { maxLength: 4 })
    .map((keys) => set(...keys));
  const text = fc.oneof(
    sets,
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.string().map((body) => `-----BEGIN ${body}`),
  );
  const property = fc.property(text, (content) => {
    try {
      assert.ok(readTokenKeys('keys', content).length > 0);
    } catch (error) {
      assert.ok(error instanceof EtherwsError, String(error));
    }
  });
  fc.assert(property, { seed: 20_240_606, numRuns: 1_500 });
});
