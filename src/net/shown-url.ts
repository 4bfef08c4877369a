/**
 * The text of a URL, or of a request's target, for logs, responses and
 * errors: with `(hidden)` for user and password, and for the
 * value of every query parameter whose name, decoded, looks like that of a secret.
 * Other text is returned unchanged.
 */
export function shownUrl(text: string): string {
  // Credentials are replaced first: a password may contain `?`.
  const target = text.replaceAll(/\/\/[^/]*@/g, '//(hidden)@');
  const query = target.indexOf('?');
  if (query < 0) return target;
  const parts = target.slice(query + 1).split('&');
  return `${target.slice(0, query)}?${parts.map((part) => (isSecret(part) ? `${nameOf(part)}=(hidden)` : part)).join('&')}`;
}

/** `access_token` is what etherws reads; the others are common in the URLs of other servers. */
const SECRET_NAME = /token|secret|pass|pwd|key|auth|credential|jwt|sig/i;

function isSecret(part: string): boolean {
  return [...new URLSearchParams(part).keys()].some((name) => SECRET_NAME.test(name));
}

/** The name as it was written, not decoded. */
function nameOf(part: string): string {
  return part.replace(/=.*$/s, '');
}
