import { holdsControlCharacters } from './control-characters.ts';

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** Bounds the time for decoding, which runs in the thread of the data path. */
const MAX_HEADER_CHARACTERS = 8192;
/** Bounds the time for hashing, which grows with the length. htpasswd accepts at most 255. */
const MAX_PASSWORD_BYTES = 1024;

/**
 * Parses an `Authorization` header field of the scheme Basic (RFC 7617): the base64 of
 * `USER:PASSWORD` in UTF-8. The password may contain colons, the user may not.
 * @returns `otherScheme` for Bearer and other schemes, `malformed` for a field that violates the RFC or a limit
 */
export function parseBasic(header: string): BasicCredentials | 'otherScheme' | 'malformed' {
  if (header.length > MAX_HEADER_CHARACTERS) return 'malformed';
  const parts = /^([^ ]+)(?: +([^ ]+))? *$/.exec(header);
  if (parts === null) return 'malformed';
  if (parts[1]?.toLowerCase() !== 'basic') return 'otherScheme';
  const token = parts[2] ?? '';
  const bytes = Buffer.from(token, 'base64');
  // Node ignores characters that are not base64. The round trip shows whether there were any.
  if (bytes.toString('base64') !== token) return 'malformed';
  const text = bytes.toString('utf8');
  if (!bytes.equals(Buffer.from(text, 'utf8'))) return 'malformed';
  const colon = text.indexOf(':');
  if (colon < 0 || holdsControlCharacters(text)) return 'malformed';
  const password = text.slice(colon + 1);
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return 'malformed';
  return { user: text.slice(0, colon), password };
}
