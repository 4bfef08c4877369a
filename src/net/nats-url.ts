/** The servers of a cluster as an operator writes them. */
export interface NatsServers {
  /** `nats://HOST:PORT` or `tls://HOST:PORT`, without credentials */
  readonly urls: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
}

const DEFAULT_PORT = 4222;

/** The same list without its user and password: for messages and for files that others may read. */
export function shownServers(text: string): string {
  const servers = parseServers(text);
  return servers === undefined || servers.user === undefined ? text : servers.urls.join(',');
}

/**
 * Takes a list such as `nats://user:password@a,b,c:4223` apart; further servers have the scheme and the credentials of the first.
 * @returns undefined for any other text
 */
export function parseServers(text: string): NatsServers | undefined {
  const urls: string[] = [];
  let scheme: string | undefined;
  let user: string | undefined;
  let password: string | undefined;
  for (const part of text.split(',')) {
    const written = part.trim();
    const full: string = written.includes('://') ? written : `${scheme ?? 'nats:'}//${written}`;
    if (written === '' || !URL.canParse(full)) return undefined;
    const url = new URL(full);
    const isPlain = (url.pathname === '' || url.pathname === '/') && url.search === '' && url.hash === '';
    if (!/^(nats|tls):$/.test(url.protocol) || url.hostname === '' || !isPlain) return undefined;
    scheme ??= url.protocol;
    if (url.username !== '') {
      user = decodeURIComponent(url.username);
      password = decodeURIComponent(url.password);
    }
    urls.push(`${url.protocol}//${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}`);
  }
  return urls.length === 0 ? undefined : { urls, user, password };
}
