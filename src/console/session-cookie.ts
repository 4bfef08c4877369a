import type { IncomingMessage } from 'node:http';

const NAME = 'etherws-session';

/**
 * The name of the session cookie for the site that a request names. Browsers keep cookies by host, not by port
 * (RFC 6265, 8.5), so the name has the port: sessions at two switches of one host do not replace each other.
 * @param host as in `Host`
 */
export function cookieName(host: string): string {
  const port = /:(\d{1,5})$/.exec(host)?.[1];
  return port === undefined ? NAME : `${NAME}-${port}`;
}

/**
 * The value of `Set-Cookie` for a session. Without Path the browser takes the directory of the URL that it sees (RFC
 * 6265, 5.1.4), which is the console's, also behind a proxy that serves it below another path. Without Max-Age it ends
 * with the browser.
 * @param id '' takes the cookie away
 */
export function sessionCookie(host: string, id: string, isTls: boolean): string {
  const end = id === '' ? '; Max-Age=0' : '';
  return `${cookieName(host)}=${id}; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}${end}`;
}

/**
 * The session id that a request presents.
 * @returns undefined without one; and with several, since another site of the domain may have set one of them
 */
export function presentedId({ headers }: IncomingMessage, host: string): string | undefined {
  const start = `${cookieName(host)}=`;
  const ids = (headers.cookie ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(start));
  return ids.length === 1 ? ids[0]?.slice(start.length) : undefined;
}
