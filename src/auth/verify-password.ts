import { createHash, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { hashSync } from 'bcryptjs';
import type { PasswordHash } from './password-hash.ts';
import { shaCrypt } from './sha-crypt.ts';

// Its declarations claim an ES module default, which the CommonJS package does not have.
const md5Crypt: (password: string, setting: string) => string = createRequire(import.meta.url)('apache-md5');

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
      // The package counts characters where the algorithm counts octets.
      return [md5Crypt(Buffer.from(password, 'utf8').toString('latin1'), text), text];
    case 'sha256-crypt':
    case 'sha512-crypt':
      return [shaCrypt(Buffer.from(password, 'utf8'), text), text.slice(text.lastIndexOf('$') + 1)];
  }
}
