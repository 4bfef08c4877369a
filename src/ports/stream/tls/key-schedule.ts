import { createHmac } from 'node:crypto';

/** A cipher suite of TLS 1.3 (RFC 8446, B.4) whose records we can open and seal. */
export interface Suite {
  /** as in native/crypto/cipher.h */
  readonly index: number;
  readonly hash: 'sha256' | 'sha384';
  readonly keyBytes: 16 | 32;
  /** Node's name of the cipher */
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
}

export const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { index: 0, hash: 'sha256', keyBytes: 16, cipher: 'aes-128-gcm' },
  TLS_AES_256_GCM_SHA384: { index: 1, hash: 'sha384', keyBytes: 32, cipher: 'aes-256-gcm' },
  TLS_CHACHA20_POLY1305_SHA256: { index: 2, hash: 'sha256', keyBytes: 32, cipher: 'chacha20-poly1305' },
};

const IV_BYTES = 12;

export interface TrafficKey {
  readonly key: Buffer;
  readonly iv: Buffer;
}

/** The key and the iv under a traffic secret (RFC 8446, 7.3). They are the caller's, to be overwritten when done. */
export function trafficKey({ hash, keyBytes }: Suite, secret: Buffer): TrafficKey {
  return { key: expandLabel(hash, secret, 'key', keyBytes), iv: expandLabel(hash, secret, 'iv', IV_BYTES) };
}

/** The secret behind a key update (RFC 8446, 7.2). The one before cannot be computed from it. */
export function nextSecret({ hash }: Suite, secret: Buffer): Buffer {
  return expandLabel(hash, secret, 'traffic upd', secret.length);
}

/**
 * HKDF-Expand-Label (RFC 8446, 7.1) with no context.
 * @param bytes at most what one block of the hash has
 */
function expandLabel(hash: Suite['hash'], secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.from([0, bytes, name.length, ...name, 0, 1]);
  const block = createHmac(hash, secret).update(info).digest();
  block.fill(0, bytes);
  return block.subarray(0, bytes);
}
