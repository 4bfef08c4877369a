import { genSaltSync, hash } from 'bcryptjs';
import { EtherwsError } from '../errors.ts';
import { holdsControlCharacters } from './control-characters.ts';

/** bcrypt ignores all further octets. */
const MAX_PASSWORD_BYTES = 72;

/** 2^10 iterations: about 0.1 s of processor time a login. */
export const DEFAULT_BCRYPT_COST: number = 10;

/**
 * Computes the hash for an htpasswd file: bcrypt, with the prefix `$2y$` that
 * Apache's tool writes.
 * @param cost 4 to 17; each step doubles the time of every login
 * @throws EtherwsError ARGUMENT_INVALID for an empty password, one with control characters, and one longer than 72 octets
 */
export function hashPassword(password: string, cost: number = DEFAULT_BCRYPT_COST): Promise<string> {
  requireUsable(password);
  return hash(password, genSaltSync(cost).replace(/^\$2b\$/, '$2y$'));
}

function requireUsable(password: string): void {
  if (password === '') throw new EtherwsError('ARGUMENT_INVALID', 'The password is empty');
  if (holdsControlCharacters(password)) {
    throw new EtherwsError('ARGUMENT_INVALID', 'The password holds control characters', {
      hint: 'HTTP Basic authentication cannot carry them; take others',
    });
  }
  const bytes = Buffer.byteLength(password);
  if (bytes > MAX_PASSWORD_BYTES) {
    throw new EtherwsError('ARGUMENT_INVALID', `The password has ${bytes} bytes, and bcrypt looks at no more than 72`, {
      hint: 'Take a shorter one: what stands behind would not be checked',
    });
  }
}
