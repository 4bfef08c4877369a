import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * A new key pair, read back from its PEM. Keys that `generateKeyPair` returns share a
 * lock with the job that made them: when the garbage collector frees that job while
 * a key is being exported, Node 20 deadlocks.
 */
export function keyPairOf(
  type: 'rsa' | 'ec' | 'ed25519' | 'x25519',
  options: { modulusLength?: number; namedCurve?: string } = {},
): KeyPair {
  const pair = generateKeyPairSync(type as 'rsa', {
    modulusLength: 2048,
    ...options,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { publicKey: createPublicKey(pair.publicKey), privateKey: createPrivateKey(pair.privateKey) };
}
