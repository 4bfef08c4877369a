import { holdsControlCharacters } from './control-characters.ts';

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** Longer headers are refused unread: no real name and password are so long, and decoding takes time of the data path's thread. */
const MAX_HEADER_CHARACTERS = 8192;
/** Hashing takes time with the length, and htpasswd writes at most 255. */
const MAX_PASSWORD_BYTES = 1024;

/**
 * Reads an `Authorization` header of the scheme Basic (RFC 7617): the base64 of
 * `USER:PASSWORD` in UTF-8. The user holds no colon, the password may.
 * @returns `otherScheme` for Bearer and the like, `malformed` for what is not Basic as the standard writes it
 */
export function parseBasic(header: string): BasicCredentials | 'otherScheme' | 'malformed' {
  if (header.length > MAX_HEADER_CHARACTERS) return 'malformed';
  const parts = /^([^ ]+)(?: +([^ ]+))? *$/.exec(header);
  if (parts === null) return 'malformed';
  if (parts[1]?.toLowerCase() !== 'basic') return 'otherScheme';
  const token = parts[2] ?? '';
  const bytes = Buffer.from(token, 'base64');
  // Node skips what is not base64; only a token that survives the round trip was written strictly.
  if (bytes.toString('base64') !== token) return 'malformed';
  const text = bytes.toString('utf8');
  if (!bytes.equals(Buffer.from(text, 'utf8'))) return 'malformed';
  const colon = text.indexOf(':');
  if (colon < 0 || holdsControlCharacters(text)) return 'malformed';
  const password = text.slice(colon + 1);
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return 'malformed';
  return { user: text.slice(0, colon), password };
}
