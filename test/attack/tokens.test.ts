import assert from 'node:assert/strict';
import { createHmac, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { beforeExpiry } from '../support/expiry.ts';
import { call, knock } from '../support/http.ts';
import { keyPairOf } from '../support/key-pair.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

const ISSUER = keyPairOf('rsa', { modulusLength: 2048 });
const STRANGER = keyPairOf('rsa', { modulusLength: 2048 });
const KEY_SET = { keys: [{ ...ISSUER.publicKey.export({ format: 'jwk' }), alg: 'RS256', kid: 'k1', use: 'sig' }] };
const nowS = Math.floor(Date.now() / 1000);
const CLAIMS = { sub: 'ada', aud: 'lan', exp: nowS + 600 };
const GOOD: JWTHeaderParameters = { alg: 'RS256', kid: 'k1' };

function signed(
  claims: object = {},
  header: JWTHeaderParameters = GOOD,
  key: KeyObject = ISSUER.privateKey,
): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(header).sign(key);
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token whose HMAC key is the issuer's public key, in one of its encodings (algorithm confusion). */
function confused(secret: string | Buffer): string {
  const text = `${encoded({ alg: 'HS256', kid: 'k1' })}.${encoded(CLAIMS)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** The same token with another user, and the old signature. */
async function forSomebodyElse(): Promise<string> {
  const [header, , signature] = (await signed()).split('.');
  return `${header}.${encoded({ ...CLAIMS, sub: 'root' })}.${signature}`;
}

const pem = ISSUER.publicKey.export({ type: 'spki', format: 'pem' });
const der = ISSUER.publicKey.export({ type: 'spki', format: 'der' });
const CASES: readonly (readonly [string, () => string | Promise<string>])[] = [
  ['expired', () => signed({ exp: nowS - 60 })],
  ['not valid yet', () => signed({ nbf: nowS + 600 })],
  ['for another audience', () => signed({ aud: 'mail' })],
  ['without expiry', () => signed({ exp: undefined })],
  ['without a subject', () => signed({ sub: '' })],
  ['alg none', () => `${encoded({ alg: 'none', kid: 'k1' })}.${encoded(CLAIMS)}.`],
  ['alg none, with a signature', () => `${encoded({ alg: 'nOnE', kid: 'k1' })}.${encoded(CLAIMS)}.AAAA`],
  ['alg HS256, keyed with the public key as PEM', () => confused(pem)],
  ['alg HS256, keyed with the public key as DER', () => confused(der)],
  ['alg HS256, keyed with the key set', () => confused(JSON.stringify(KEY_SET))],
  ['of an algorithm that the key is not for', () => signed({}, { alg: 'PS256', kid: 'k1' })],
  ['of an unknown key id', () => signed({}, { alg: 'RS256', kid: '../../../dev/null' })],
  ['signed by another key', () => signed({}, GOOD, STRANGER.privateKey)],
  [
    'that brings its own key',
    () => signed({}, { alg: 'RS256', jwk: STRANGER.publicKey.export({ format: 'jwk' }) }, STRANGER.privateKey),
  ],
  [
    'that says where its key is',
    () => signed({}, { alg: 'RS256', jku: 'http://127.0.0.1:1/jwks.json' }, STRANGER.privateKey),
  ],
  ['that was changed', forSomebodyElse],
  ['of garbage', () => 'AAAA.BBBB.CCCC'],
  ['of 9000 characters', () => `${'A'.repeat(3000)}.${'B'.repeat(3000)}.${'C'.repeat(3000)}`],
];

test('a token that is not what it must be opens neither service of a real process', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-tokens-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const keys = join(directory, 'keys.json');
  writeFileSync(keys, JSON.stringify(KEY_SET));
  const good = { Authorization: `Bearer ${await signed()}` };
  const services = ['--tokenkeys', keys, '--tokenaudience', 'lan', '--ctltokenkeys', keys, '--ctltokenaudience', 'lan'];
  const lan = await SwitchProcess.start(t, services, good);

  for (const [index, [name, make]] of CASES.entries()) {
    await t.test(`one ${name}`, async () => {
      const token = await make();
      // Each from a new address, since responses to failures of one address are delayed more each time.
      const localAddress = `127.0.1.${index + 1}`;
      const headers = { Authorization: `Bearer ${token}` };
      const answers = await Promise.all([
        knock({ port: lan.tunnelPort, localAddress, headers }),
        knock({ port: lan.tunnelPort, localAddress, path: `/?access_token=${token}` }),
        call({ port: lan.controlPort, localAddress, headers }),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 401, 401],
      );
      assert.ok(!lan.log.includes(token));
    });
  }

  await t.test('and a good one opens both', async () => {
    assert.equal((await knock({ port: lan.tunnelPort, headers: good })).status, 101);
    assert.equal((await lan.endpointCounters('tunnels')).failedLogins, 2 * CASES.length);
    assert.equal((await lan.endpointCounters('control')).failedLogins, CASES.length);
  });
});

test('a tunnel ends with the token that opened it, and its port waits for a client with a new one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-tokens-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const keys = join(directory, 'keys.json');
  writeFileSync(keys, JSON.stringify(KEY_SET));

  const enter = async (lan: SwitchProcess, exp: number, fields: Record<string, string>): Promise<TunnelSocket> => {
    const headers = { Authorization: `Bearer ${await signed({ exp })}`, ...fields };
    const client = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`, { headers, perMessageDeflate: false });
    t.after(() => client.terminate());
    await once(client, 'open');
    return client;
  };
  const [{ lan, lasting, raw, batched }] = await beforeExpiry(async (expiryS) => {
    const lan = await SwitchProcess.start(t, ['--tokenkeys', keys, '--tokenaudience', 'lan']);
    // The switch tolerates a clock skew of 30 s.
    const soonS = expiryS - 30;
    const lasting = await enter(lan, soonS + 600, {});
    const [raw, batched] = await Promise.all([
      enter(lan, soonS, {}),
      enter(lan, soonS, { 'Etherws-Wire': '1', 'Etherws-Resume': '1' }),
    ]);
    return { lan, lasting, raw, batched };
  });
  for (const [code, reason] of await Promise.all([once(raw, 'close'), once(batched, 'close')])) {
    assert.deepEqual([code, String(reason)], [1008, 'the token has expired']);
  }
  const ports = await lan.ports();
  assert.deepEqual(
    ports.map(({ state }) => state),
    ['up', 'away'],
  );
  assert.match(ports[1]?.reason ?? '', /the token has expired/);
  assert.equal(lasting.readyState, TunnelSocket.OPEN);
});
