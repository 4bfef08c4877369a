import { genSaltSync, hash } from 'bcryptjs';
import { EtherwsError } from '../errors.ts';
import { holdsControlCharacters } from './control-characters.ts';

/** bcrypt looks at no more. */
const MAX_PASSWORD_BYTES = 72;

/** Work for a person's password in 2024: about a tenth of a second a login here. */
export const DEFAULT_BCRYPT_COST: number = 10;

/**
 * Makes the hash that stands in an htpasswd file: bcrypt, with the prefix that
 * Apache's tool writes.
 * @param cost 4 to 17: each step doubles the work of every login
 * @throws EtherwsError ARGUMENT_INVALID for a password that no login could use
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
