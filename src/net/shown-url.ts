/**
 * The text of a URL, or of a request's target, as it may stand in a log, an
 * answer or an error: with `(hidden)` for user and password, and for the
 * value of every query parameter whose name speaks of a secret, however it is
 * spelt. What is no URL comes through as it is.
 */
export function shownUrl(text: string): string {
  // First of all: a password may hold what elsewhere begins a query.
  const target = text.replaceAll(/\/\/[^/]*@/g, '//(hidden)@');
  const query = target.indexOf('?');
  if (query < 0) return target;
  const parts = target.slice(query + 1).split('&');
  return `${target.slice(0, query)}?${parts.map((part) => (isSecret(part) ? `${nameOf(part)}=(hidden)` : part)).join('&')}`;
}

/** `access_token` is ours; the rest is what other servers have people write. */
const SECRET_NAME = /token|secret|pass|pwd|key|auth|credential|jwt|sig/i;

function isSecret(part: string): boolean {
  return [...new URLSearchParams(part).keys()].some((name) => SECRET_NAME.test(name));
}

/** As it was written. Without `=` there is a name and no value. */
function nameOf(part: string): string {
  return part.replace(/=.*$/s, '');
}
