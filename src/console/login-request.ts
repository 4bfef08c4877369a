import type { Credentials } from '../auth/authenticator.ts';
import { EtherwsError } from '../errors.ts';
import { check } from '../schema/check.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { anyText } from '../schema/types.ts';
import { password, userName } from '../schema/values.ts';

/** What a login can be made with, beside a one-time code, which always works. */
export type LoginKind = 'password' | 'token' | 'certificate';

const LOGIN = objectOf({
  user: { type: userName, help: 'user of the control API' },
  password: { type: password, secret: true, help: 'its password' },
  token: { type: anyText, secret: true, help: 'a token, instead of both' },
  code: { type: anyText, secret: true, help: 'a one-time code, instead of all' },
} as const satisfies Table);

/** What a login request presents: a one-time code, or the value of `Authorization` that a script would send. */
export type LoginRequest = { readonly code: string } | Pick<Required<Credentials>, 'authorization'>;

/**
 * Reads the body of a login.
 * @param kinds what the control API accepts. Where it asks for no credentials, its authenticator accepts any, and so must
 *   not be asked
 * @throws EtherwsError ARGUMENT_INVALID
 */
export function readLogin(body: Uint8Array, kinds: readonly LoginKind[]): LoginRequest {
  const { user, password: secret, token, code } = check(LOGIN, parse(body));
  if (code !== undefined) return { code };
  if (token !== undefined && kinds.includes('token')) return { authorization: `Bearer ${token}` };
  if (user !== undefined && secret !== undefined && kinds.includes('password')) {
    return { authorization: `Basic ${Buffer.from(`${user}:${secret}`, 'utf8').toString('base64')}` };
  }
  const ways = [
    ...(kinds.includes('password') ? ['user and password'] : []),
    ...(kinds.includes('token') ? ['token'] : []),
    'code',
  ];
  throw new EtherwsError('ARGUMENT_INVALID', 'The login has none of the credentials that this control API accepts', {
    hint: `Send ${ways.join(', or ')}; etherws ctl console makes a code`,
  });
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    // The message of the parser would repeat a part of the password.
    throw new EtherwsError('ARGUMENT_INVALID', 'The body is not JSON', { cause });
  }
}
