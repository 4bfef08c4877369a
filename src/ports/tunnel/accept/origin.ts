import type { IncomingMessage } from 'node:http';
import { isAllowedHost } from '../../../net/allowed-host.ts';

export interface OriginRuleOptions {
  /** Origins whose pages may open tunnels, as browsers write them; `*` for all, `null` for pages without one. */
  readonly allowed?: readonly string[];
  /**
   * Names of this server beside addresses and `localhost`, asked for anew each time; only under these may a page of
   * ours call it.
   */
  readonly names?: () => readonly string[];
}

/**
 * Which web pages may open tunnels. A browser lets any page open a WebSocket
 * anywhere, with the user's passwords and certificates for that place, and says
 * in `Origin` whose page it is (RFC 6455, 10.2). So a request is let through
 *
 * 1. without `Origin`: no browser sends such a one;
 * 2. with an allowed one;
 * 3. with the one that belongs to the very host that was called, which is what
 *    programs and pages served from here send. Should it come from a browser,
 *    the scheme must be ours, and `Host` a name of ours: else a name that its
 *    owner points here and there would do (DNS rebinding). Programs are less
 *    exact: websocket-client, which 1.x used, says http for wss.
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
    // Where we speak plain HTTP a proxy in front may have ended TLS, so https will do there, too.
    const names = [...this.#names(), ...this.#allowedHosts];
    return isAllowedHost(host, names) && !('encrypted' in socket && /^http:/i.test(origin));
  }
}

/** Whether a page of that origin was served by that very host and port. */
function isOriginOf(origin: string, host: string): boolean {
  const scheme = /^(https?):\/\//i.exec(origin)?.[1];
  if (scheme === undefined) return false;
  const own = `${scheme}://${host}`;
  // The parser knows which port needs no saying, and how names and IPv6 addresses are written.
  if (!URL.canParse(own) || !URL.canParse(origin) || /[/?#@\\]/.test(host)) return false;
  return new URL(own).origin === new URL(origin).origin;
}

/** Every browser of this century says so, and no page can keep it from doing it. */
function isBrowser(userAgent: string | undefined): boolean {
  return userAgent?.startsWith('Mozilla/') === true;
}

function hostOfOrigin(origin: string): string[] {
  return URL.canParse(origin) ? [new URL(origin).hostname] : [];
}
