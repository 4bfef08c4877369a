import { createHash, timingSafeEqual } from 'node:crypto';
import { hashSync } from 'bcryptjs';
import { md5Crypt } from './md5-crypt.ts';
import type { PasswordHash } from './password-hash.ts';
import { shaCrypt } from './sha-crypt.ts';

/**
 * Hashes the password and compares in constant time. It is slow by design, and must run in
 * the worker thread, never in the thread of the data path.
 * @returns false also if the hash is not valid for its algorithm
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

/** The computed and the expected hash. */
function digests(password: string, { kind, text }: PasswordHash): readonly [string, string] {
  switch (kind) {
    case 'sha1':
      return [createHash('sha1').update(password, 'utf8').digest('base64'), text.slice('{SHA}'.length)];
    case 'bcrypt':
      // 29 characters: version, cost and salt. They are not compared, since some tools set the salt's unused last bits.
      return [hashSync(password, text.slice(0, 29)).slice(29), text.slice(29)];
    case 'apr1':
      return [md5Crypt(Buffer.from(password, 'utf8'), text), text.slice(text.lastIndexOf('$') + 1)];
    case 'sha256-crypt':
    case 'sha512-crypt':
      return [shaCrypt(Buffer.from(password, 'utf8'), text), text.slice(text.lastIndexOf('$') + 1)];
  }
}
