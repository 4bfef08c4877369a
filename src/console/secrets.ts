import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A random secret of 256 bits as 43 characters that need no escape in a URL or a cookie. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** The key under which a secret is kept: its hash, so that memory and its dumps hold no secret that opens anything. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
