import assert from 'node:assert/strict';
import { createHmac, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { EncryptJWT, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { keyPairOf } from '../../test/support/key-pair.ts';
import type { Logger } from '../observability/logger.ts';
import type { Credentials, Verdict } from './authenticator.ts';
import { BearerAuthenticator, type BearerOptions } from './bearer.ts';

const RSA = keyPairOf('rsa', { modulusLength: 2048 });
const EC = keyPairOf('ec', { namedCurve: 'P-256' });
const ED = keyPairOf('ed25519');
const SECRET = '0123456789abcdef0123456789abcdef';
const RSA_PEM = pem(RSA.publicKey);

const NOW_S = 1_800_000_000;
const CLAIMS: JWTPayload = { sub: 'ada', aud: 'etherws', exp: NOW_S + 300 };
/** What a token is good for that ends `expS` behind `NOW_S`: half a minute more, for clocks that differ. */
const adaUntil = (expS: number): Verdict => ({ isAllowed: true, user: 'ada', untilMs: (NOW_S + expS + 30) * 1000 });
const ADA = adaUntil(300);
const WRONG: Verdict = { isAllowed: false, reason: 'wrong' };
const MISSING: Verdict = { isAllowed: false, reason: 'missing' };

function pem(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }));
}

function sign(claims: JWTPayload, header: JWTHeaderParameters, key: KeyObject | string): Promise<string> {
  const signingKey = typeof key === 'string' ? new TextEncoder().encode(key) : key;
  return new SignJWT(claims).setProtectedHeader(header).sign(signingKey);
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

interface Door {
  readonly path: string;
  readonly authenticator: BearerAuthenticator;
  readonly logged: string[];
  ask(token: string): Promise<Verdict>;
}

async function door(t: TestContext, keys: string, options: Partial<BearerOptions> = {}): Promise<Door> {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-auth-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'keys');
  writeFileSync(path, keys);
  const logged: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, isLevelEnabled: () => true };
  const now = (): Date => new Date(NOW_S * 1000);
  const settings = { realm: 'etherws', audience: 'etherws', logger, now, recheckMs: 0, ...options };
  const authenticator = await BearerAuthenticator.open(path, settings);
  t.after(() => authenticator.close());
  return { path, authenticator, logged, ask: (token) => authenticator.authenticate(inHeader(token)) };
}

function inHeader(token: string): Credentials {
  return { authorization: `Bearer ${token}`, remoteAddress: '192.0.2.1' };
}

test('each algorithm lets its user in', async (t) => {
  const pairs: readonly (readonly [string, string, KeyObject | string])[] = [
    ['HS256', SECRET, SECRET],
    ['RS256', RSA_PEM, RSA.privateKey],
    ['ES256', pem(EC.publicKey), EC.privateKey],
    ['EdDSA', pem(ED.publicKey), ED.privateKey],
    ['Ed25519', pem(ED.publicKey), ED.privateKey],
  ];
  for (const [alg, keys, key] of pairs) {
    const { ask } = await door(t, keys);
    assert.deepEqual(await ask(await sign(CLAIMS, { alg }, key)), ADA, alg);
  }
});

test('the claim net names the networks that the token is for', async (t) => {
  const { ask } = await door(t, SECRET);
  const verdict = async (net: unknown): Promise<Verdict> =>
    ask(await sign({ ...CLAIMS, net }, { alg: 'HS256' }, SECRET));
  assert.deepEqual(await verdict('lab'), { ...ADA, networks: ['lab'] });
  assert.deepEqual(await verdict(['lab', 'home']), { ...ADA, networks: ['lab', 'home'] });
  assert.deepEqual(await verdict([]), { ...ADA, networks: [] });
  for (const net of [7, null, {}, ['lab', 7], Array(65).fill('lab')]) assert.deepEqual(await verdict(net), WRONG);
});

test('the token may stand in the query, but not in two places', async (t) => {
  const { authenticator } = await door(t, SECRET);
  const accessToken = await sign(CLAIMS, { alg: 'HS256' }, SECRET);
  const remoteAddress = '192.0.2.1';
  const answer = (credentials: Partial<Credentials>): Promise<Verdict> =>
    authenticator.authenticate({ authorization: undefined, remoteAddress, ...credentials });
  assert.deepEqual(await answer({ accessToken }), ADA);
  assert.deepEqual(await answer({ accessToken, authorization: 'Basic YTpi' }), ADA);
  assert.deepEqual(await answer({ accessToken, authorization: `Bearer ${accessToken}` }), WRONG);
  assert.deepEqual(await answer({ accessToken: '' }), WRONG);
  assert.deepEqual(await answer({}), MISSING);
  assert.deepEqual(await answer({ authorization: 'Basic YTpi' }), MISSING);
  assert.deepEqual(await answer({ authorization: `bearer  ${accessToken} ` }), ADA);
  assert.equal(authenticator.challenge, 'Bearer realm="etherws"');
});

test('the claims: exp and nbf, aud, iss, sub', async (t) => {
  const { ask } = await door(t, SECRET, { issuer: 'https://issuer.example' });
  const good = { ...CLAIMS, iss: 'https://issuer.example' };
  const verdict = async (change: object): Promise<Verdict> =>
    ask(await sign({ ...good, ...change }, { alg: 'HS256' }, SECRET));
  for (const change of [{}, { nbf: NOW_S }, { aud: ['other', 'etherws'] }, { exp: NOW_S - 29 }, { nbf: NOW_S + 29 }]) {
    const expS = (change.exp ?? CLAIMS.exp ?? 0) - NOW_S;
    assert.deepEqual(await verdict(change), adaUntil(expS), JSON.stringify(change));
  }
  const bad = [
    ...[{ exp: NOW_S - 31 }, { exp: undefined }, { exp: 'soon' }, { nbf: NOW_S + 31 }, { nbf: 'now' }],
    ...[{ aud: 'other' }, { aud: undefined }, { aud: [] }, { iss: 'https://other.example' }, { iss: undefined }],
    ...[{ sub: undefined }, { sub: '' }, { sub: 7 }, { sub: 'a\nb' }, { sub: 'x'.repeat(256) }],
  ];
  for (const change of bad) assert.deepEqual(await verdict(change), WRONG, JSON.stringify(change));
});

test('alg none, however it is spelt, with and without a signature', async (t) => {
  for (const keys of [SECRET, RSA_PEM]) {
    const { ask } = await door(t, keys);
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, 0]) {
      for (const signature of ['', 'AAAA']) {
        assert.deepEqual(await ask(`${base64url({ alg })}.${base64url(CLAIMS)}.${signature}`), WRONG, String(alg));
      }
    }
  }
});

test('the public key as the secret of an HMAC leads nowhere', async (t) => {
  const { ask } = await door(t, RSA_PEM);
  const unsigned = `${base64url({ alg: 'HS256' })}.${base64url(CLAIMS)}`;
  for (const secret of [RSA_PEM, RSA_PEM.trim(), RSA.publicKey.export({ type: 'spki', format: 'der' })]) {
    const signature = createHmac('sha256', secret).update(unsigned).digest('base64url');
    assert.deepEqual(await ask(`${unsigned}.${signature}`), WRONG);
  }
});

test('a key that the token brings along is not looked at', async (t) => {
  const { ask } = await door(t, RSA_PEM);
  const mine = keyPairOf('rsa', { modulusLength: 2048 });
  const jwk = mine.publicKey.export({ format: 'jwk' });
  const header = { alg: 'RS256', jwk, jku: 'http://192.0.2.1/keys', x5u: 'http://192.0.2.1/chain', kid: '../keys' };
  assert.deepEqual(await ask(await sign(CLAIMS, header, mine.privateKey)), WRONG);
});

test('a changed, cut, encrypted or endless token, and extensions that we do not know', async (t) => {
  const { ask } = await door(t, SECRET);
  const token = await sign(CLAIMS, { alg: 'HS256' }, SECRET);
  const [header = '', , signature = ''] = token.split('.');
  const encrypted = await new EncryptJWT(CLAIMS)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(new TextEncoder().encode(SECRET));
  const tokens = [
    `${header}.${base64url({ ...CLAIMS, sub: 'eve' })}.${signature}`,
    token.slice(0, -1),
    token.slice(0, token.lastIndexOf('.') + 1),
    `${token}.x`,
    `${token}=`,
    encrypted,
    await sign({ ...CLAIMS, more: 'x'.repeat(8192) }, { alg: 'HS256' }, SECRET),
    `${base64url({ alg: 'HS256', crit: ['x'], x: 1 })}.${base64url(CLAIMS)}.AAAA`,
    `${base64url({ alg: 'HS256', b64: false, crit: ['b64'] })}.${base64url(CLAIMS)}.AAAA`,
  ];
  for (const changed of tokens) assert.deepEqual(await ask(changed), WRONG, changed.slice(0, 80));
});

test('of several keys the id chooses, and without an id the signature', async (t) => {
  const other = keyPairOf('ed25519');
  const jwks = [ED, other].map(({ publicKey }, index) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid: `k${index}`,
  }));
  const { ask } = await door(t, JSON.stringify({ keys: jwks }));
  const alg = 'EdDSA';
  assert.deepEqual(await ask(await sign(CLAIMS, { alg, kid: 'k0' }, ED.privateKey)), ADA);
  assert.deepEqual(await ask(await sign(CLAIMS, { alg, kid: 'k1' }, other.privateKey)), ADA);
  assert.deepEqual(await ask(await sign(CLAIMS, { alg }, other.privateKey)), ADA);
  assert.deepEqual(await ask(await sign(CLAIMS, { alg, kid: 'k0' }, other.privateKey)), WRONG);
  assert.deepEqual(await ask(await sign(CLAIMS, { alg, kid: 'k2' }, ED.privateKey)), WRONG);
});

test('keys are exchanged while running, and a bad file changes nothing', async (t) => {
  const { ask, path } = await door(t, SECRET);
  const token = await sign(CLAIMS, { alg: 'HS256' }, SECRET);
  writeFileSync(path, 'short');
  assert.deepEqual(await ask(token), ADA);
  writeFileSync(path, RSA_PEM);
  assert.deepEqual(await ask(token), WRONG);
  assert.deepEqual(await ask(await sign(CLAIMS, { alg: 'RS256' }, RSA.privateKey)), ADA);
});

test('the log says why a token was refused, and holds no part of it', async (t) => {
  const { ask, logged } = await door(t, SECRET);
  const token = await sign({ ...CLAIMS, exp: 1 }, { alg: 'HS256' }, SECRET);
  await ask(token);
  assert.equal(logged.length, 1);
  assert.match(logged[0] ?? '', /exp.* claim timestamp check failed/);
  for (const part of token.split('.')) assert.ok(!logged.join().includes(part));
});

test('after close no token is accepted', async (t) => {
  const { ask, authenticator } = await door(t, SECRET);
  await authenticator.close();
  assert.deepEqual(await ask(await sign(CLAIMS, { alg: 'HS256' }, SECRET)), { isAllowed: false, reason: 'busy' });
});

test('whatever stands in the place of a token, the answer is no', async (t) => {
  const { authenticator } = await door(
    t,
    JSON.stringify({ keys: [RSA, EC, ED].map(({ publicKey }) => publicKey.export({ format: 'jwk' })) }),
  );
  const part = fc.oneof(
    fc.base64String({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.jsonValue().map(base64url),
    fc.record({ alg: fc.constantFrom('RS256', 'ES256', 'EdDSA', 'HS256', 'none'), kid: fc.jsonValue() }).map(base64url),
  );
  const tokens = fc.oneof(
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    fc.string(),
  );
  const property = fc.asyncProperty(tokens, fc.boolean(), async (token, isQuery) => {
    const credentials = isQuery ? { ...inHeader(''), authorization: undefined, accessToken: token } : inHeader(token);
    assert.equal((await authenticator.authenticate(credentials)).isAllowed, false);
  });
  await fc.assert(property, { seed: 20_240_607, numRuns: 1_500 });
});
