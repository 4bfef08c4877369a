import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { EtherwsError } from '../errors.ts';

/** The supported algorithms of RFC 7518 and RFC 8037. Each belongs to one kind of key. */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/** A key and the only algorithm that it may be used with. The token's `alg` must be equal; it chooses nothing. */
export interface TokenKey {
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
  /** the `kid` by which tokens refer to it; undefined without one */
  readonly id: string | undefined;
}

/** RFC 7518, 3.2: at least the size of the hash output. */
const MIN_SECRET_BYTES = 32;
/** RFC 7518, 3.3 */
const MIN_RSA_BITS = 2048;
/** Bounds the time of a verification: a token without `kid` is tried with all keys. */
const MAX_KEYS = 16;

/**
 * Parses the contents of a key file: a JSON Web Key Set (RFC 7517), a
 * public key or certificate in PEM, or a shared secret, which is the whole text
 * without its line end.
 * @param path for messages, which never contain a part of the text
 * @throws EtherwsError TOKEN_KEYS_INVALID
 */
export function readTokenKeys(path: string, text: string): readonly TokenKey[] {
  const content = text.trim();
  if (content.startsWith('{')) return readKeySet(path, content);
  if (content.startsWith('-----BEGIN ')) return [readPem(path, content)];
  return [readSecret(path, text.replace(/\r?\n$/, ''))];
}

function readPem(path: string, content: string): TokenKey {
  if (content.includes('PRIVATE KEY-----')) {
    throw invalid(path, 'holds a private key', `Verifying needs the public one: openssl pkey -in ${path} -pubout`);
  }
  try {
    return asymmetric(createPublicKey(content), undefined);
  } catch (error) {
    throw invalid(path, `holds no usable public key: ${reasonOf(error)}`, KINDS, error);
  }
}

function readSecret(path: string, secret: string): TokenKey {
  if (secret.includes('\uFFFD')) {
    // DER and PKCS#12 begin with 0x30, a sequence (X.690, 8.9), which is "0" as text.
    if (secret.startsWith('0')) {
      const hint = `Give PEM; of a public key in DER: openssl pkey -pubin -inform DER -in ${path} -out NEW.pem`;
      throw invalid(path, 'is DER or PKCS#12, and PEM is wanted', hint);
    }
    throw invalid(path, 'is not text', 'Put a binary secret into a JSON Web Key Set, as a key of the type "oct"');
  }
  return { algorithm: 'HS256', key: secretKey(path, Buffer.from(secret, 'utf8')), id: undefined };
}

function readKeySet(path: string, content: string): readonly TokenKey[] {
  let set: unknown;
  try {
    set = JSON.parse(content);
  } catch {
    throw invalid(path, 'begins like JSON but is none', 'Check it with: python3 -m json.tool');
  }
  const entries = isObject<{ keys: unknown }>(set) ? set.keys : undefined;
  if (!Array.isArray(entries)) throw invalid(path, 'is JSON without a list "keys"', 'RFC 7517 says {"keys": [...]}');
  // Keys for other purposes and algorithms are ignored (RFC 7517, 5).
  const keys = entries.flatMap((entry, index) => (isForVerifying(entry) ? readWebKey(path, entry, index) : []));
  if (keys.length === 0) throw invalid(path, 'holds no key that can verify tokens', KINDS);
  if (keys.length > MAX_KEYS)
    throw invalid(path, `holds ${keys.length} keys, more than ${MAX_KEYS}`, 'Leave out old ones');
  return keys;
}

/** The members of a JSON Web Key that are read (RFC 7517, 4); their types are not checked yet. */
type WebKey = Partial<Record<'kty' | 'use' | 'key_ops' | 'alg' | 'kid' | 'k' | 'd', unknown>>;

function isForVerifying(entry: unknown): entry is WebKey {
  if (!isObject<WebKey>(entry)) return false;
  const { use = 'sig', key_ops: operations } = entry;
  return use === 'sig' && (!Array.isArray(operations) || operations.includes('verify'));
}

/** @returns an empty list for a key of another kind or algorithm */
function readWebKey(path: string, entry: WebKey, index: number): readonly TokenKey[] {
  const { kty, kid, k, alg, d } = entry;
  const id = typeof kid === 'string' ? kid : undefined;
  const name = id === undefined ? `key ${index + 1}` : `key ${JSON.stringify(id)}`;
  if (kty !== 'oct' && kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return [];
  if (kty !== 'oct' && d !== undefined) {
    throw invalid(
      path,
      `holds the private part of ${name}`,
      'Verifying needs the public part: remove "d" and what follows it',
    );
  }
  let key: TokenKey;
  try {
    key =
      kty === 'oct'
        ? { algorithm: 'HS256', key: secretKey(path, Buffer.from(String(k), 'base64url')), id }
        : asymmetric(createPublicKey({ key: entry as JsonWebKey, format: 'jwk' }), id);
  } catch (error) {
    if (error instanceof UnsupportedKey) return [];
    if (error instanceof EtherwsError) throw error;
    throw invalid(path, `: ${name} cannot be read: ${reasonOf(error)}`, 'See RFC 7518, 6', error);
  }
  const isMeantForIt = alg === undefined || alg === key.algorithm || (key.algorithm === 'EdDSA' && alg === 'Ed25519');
  return isMeantForIt ? [key] : [];
}

class UnsupportedKey extends Error {}

/** The kind of key determines the algorithm, so a public key can never be used as the secret of an HMAC. */
function asymmetric(key: KeyObject, id: string | undefined): TokenKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { algorithm: 'EdDSA', key, id };
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { algorithm: 'ES256', key, id };
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return { algorithm: 'RS256', key, id };
  throw new UnsupportedKey(type === 'rsa' ? `RSA with less than ${MIN_RSA_BITS} bits` : `a key of the type ${type}`);
}

function secretKey(path: string, bytes: Buffer): KeyObject {
  if (bytes.length >= MIN_SECRET_BYTES) return createSecretKey(bytes);
  const problem = `holds a secret of ${bytes.length} bytes, and HS256 needs ${MIN_SECRET_BYTES}`;
  throw invalid(path, problem, 'Make one with: openssl rand -base64 32');
}

const KINDS = 'Give a JWKS file, a PEM public key (RSA of 2048 bits, EC P-256 or Ed25519), or a shared secret';

function invalid(path: string, problem: string, hint: string, cause?: unknown): EtherwsError {
  const message = problem.startsWith(':') ? `${path}${problem}` : `${path} ${problem}`;
  return new EtherwsError('TOKEN_KEYS_INVALID', message, { hint, cause });
}

function reasonOf(error: unknown): string {
  return error instanceof UnsupportedKey ? `it is ${error.message}` : 'OpenSSL does not take it';
}

function isObject<T extends object>(value: unknown): value is Partial<T> {
  return typeof value === 'object' && value !== null;
}
