import type { IncomingMessage } from 'node:http';
import { isAllowedHost } from '../../../net/allowed-host.ts';

export interface OriginRuleOptions {
  /** Origins whose pages may open tunnels, as browsers write them; `*` for all, `null` for opaque origins. */
  readonly allowed?: readonly string[];
  /**
   * Returns the host names of this server, beyond addresses and `localhost`; called for each request. A page served
   * from here may open tunnels only under these names.
   */
  readonly names?: () => readonly string[];
}

/**
 * Decides which web pages may open tunnels. A browser lets any page open a
 * WebSocket to any host, with the user's passwords and certificates for that
 * host, and names the page's origin in `Origin` (RFC 6455, 10.2). A request is
 * accepted
 *
 * 1. without `Origin`: it does not come from a browser;
 * 2. with an allowed origin;
 * 3. with an origin equal to the requested host, as sent by programs and by pages
 *    served from here. From a browser, the scheme must also match, and `Host`
 *    must be a name of this server, which stops DNS rebinding. Programs are less
 *    exact: websocket-client, which etherws 1.x used, sends http for wss.
 */
export class OriginRule {
  readonly #allowed: ReadonlySet<string>;
  readonly #names: () => readonly string[];
  readonly #allowedHosts: readonly string[];

  constructor(options: OriginRuleOptions = {}) {
    this.#allowed = new Set(options.allowed);
    this.#names = options.names ?? (() => []);
    this.#allowedHosts = [...this.#allowed].flatMap(hostOfOrigin);
  }

  /** @param request an opening handshake */
  allows({ headers, socket }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined || this.#allowed.has('*') || this.#allowed.has(origin.toLowerCase())) return true;
    if (host === undefined || !isOriginOf(origin, host)) return false;
    if (!isBrowser(headers['user-agent'])) return true;
    // On a plain HTTP listener a reverse proxy may have terminated TLS, so https is accepted, too.
    const names = [...this.#names(), ...this.#allowedHosts];
    return isAllowedHost(host, names) && !('encrypted' in socket && /^http:/i.test(origin));
  }
}

/** Whether an origin has this host and port. */
function isOriginOf(origin: string, host: string): boolean {
  const scheme = /^(https?):\/\//i.exec(origin)?.[1];
  if (scheme === undefined) return false;
  const own = `${scheme}://${host}`;
  // The URL parser omits default ports, and normalizes names and IPv6 addresses.
  if (!URL.canParse(own) || !URL.canParse(origin) || /[/?#@\\]/.test(host)) return false;
  return new URL(own).origin === new URL(origin).origin;
}

/** Whether a browser sent the request: every current one sends `Mozilla/…`, and a page cannot change it for a WebSocket. */
function isBrowser(userAgent: string | undefined): boolean {
  return userAgent?.startsWith('Mozilla/') === true;
}

function hostOfOrigin(origin: string): string[] {
  return URL.canParse(origin) ? [new URL(origin).hostname] : [];
}
