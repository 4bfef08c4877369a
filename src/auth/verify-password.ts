import { createHash, timingSafeEqual } from 'node:crypto';
import { hashSync } from 'bcryptjs';
import { md5Crypt } from './md5-crypt.ts';
import type { PasswordHash } from './password-hash.ts';
import { shaCrypt } from './sha-crypt.ts';

/**
 * Hashes the password and compares in constant time. Slow by intent: runs in
 * the worker thread, never beside the data path. A hash that its algorithm
 * cannot take matches nothing.
 */
export function verifyPassword(password: string, hash: PasswordHash): boolean {
  try {
    const [computed, expected] = digests(password, hash);
    const left = Buffer.from(computed);
    const right = Buffer.from(expected);
    return left.length === right.length && timingSafeEqual(left, right);
  } catch {
    return false;
  }
}

/** What the password gives, and what it has to give. */
function digests(password: string, { kind, text }: PasswordHash): readonly [string, string] {
  switch (kind) {
    case 'sha1':
      return [createHash('sha1').update(password, 'utf8').digest('base64'), text.slice('{SHA}'.length)];
    case 'bcrypt':
      // Behind version, cost and 22 characters of salt. The salt is left out: some tools set its unused last bits.
      return [hashSync(password, text.slice(0, 29)).slice(29), text.slice(29)];
    case 'apr1':
      return [md5Crypt(Buffer.from(password, 'utf8'), text), text.slice(text.lastIndexOf('$') + 1)];
    case 'sha256-crypt':
    case 'sha512-crypt':
      return [shaCrypt(Buffer.from(password, 'utf8'), text), text.slice(text.lastIndexOf('$') + 1)];
  }
}
