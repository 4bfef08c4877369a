import { EtherwsError } from '../../../errors.ts';
import { type AddressScope, scopeOf } from '../../../net/address-scope.ts';
import { shownUrl } from '../../../net/shown-url.ts';
import { parseTunnelUrl, type TunnelUrl } from './tunnel-url.ts';

/** Redirects that one attempt follows. */
export const MOST_REDIRECTS = 3;

/** The server has answered 307: another node of its cluster is to be dialled. */
export class Redirected extends Error {
  override readonly name = 'Redirected';
  readonly to: TunnelUrl;
  /** the address of the server; undefined: it was reached through a proxy */
  readonly address: string | undefined;
  /** it is an address of this host */
  readonly isOwn: boolean;

  constructor(to: TunnelUrl, address?: string, isOwn = false) {
    super(`redirected to ${to.shown}`);
    this.to = to;
    this.address = address;
    this.isOwn = isOwn;
  }
}

const RANKS: Readonly<Record<AddressScope, number>> = { host: 0, link: 1, net: 2 };

/**
 * How near a server may be that the client is redirected to. Services in the host of the client and on its links may trust
 * all callers there, so only a server that is as near leads the client to them. A service of the host is one at any of its
 * addresses, also at that of a network.
 */
export class RedirectBounds {
  readonly #from: TunnelUrl;
  readonly #scope: AddressScope;
  readonly #isOwn: boolean;

  /** @param isOwn the server at `from` is in this host, whatever its address */
  constructor(from: TunnelUrl, { address = from.host, isOwn = false }: Partial<Pick<Redirected, 'address' | 'isOwn'>>) {
    this.#from = from;
    this.#scope = scopeOf(address) ?? 'net';
    this.#isOwn = isOwn;
  }

  /**
   * @param address of the server at `to`, once it is connected to
   * @param isOwn it is an address of this host
   * @throws EtherwsError HANDSHAKE_REJECTED
   */
  check(to: TunnelUrl, address: string = to.host, isOwn = false): void {
    const scope = isOwn && !this.#isOwn ? 'host' : (scopeOf(address) ?? 'net');
    if (RANKS[scope] >= RANKS[this.#scope]) return;
    const place = scope === 'host' ? 'this host' : 'a link of this host';
    throw new EtherwsError(
      'HANDSHAKE_REJECTED',
      `${this.#from.shown} redirects to ${to.shown} at ${address}, in ${place}: that is not followed`,
      { hint: 'Correct the URL that the other node advertises, or dial it itself' },
    );
  }

  /**
   * Whether credentials would leave this host in the clear for the first time: a `ws://` server of this host may be the near
   * end of an encrypted way, such as a tunnel of ssh.
   */
  exposes(to: TunnelUrl): boolean {
    return this.#scope === 'host' && !to.isSecure && (scopeOf(to.host) ?? 'net') !== 'host';
  }
}

/** Whether a client may say that it follows redirects: with TLS, only where it knows which server has sent them. */
export function mayFollow(url: TunnelUrl, { redirect = true, isInsecure = false, pins }: RedirectOptions): boolean {
  return redirect && (!url.isSecure || !isInsecure || pins !== undefined);
}

export interface RedirectOptions {
  /** false: redirects are not followed. Default true */
  readonly redirect?: boolean | undefined;
  readonly isInsecure?: boolean | undefined;
  readonly pins?: unknown;
}

/**
 * The URL that a redirect leads to. The credentials of the client go there: over TLS a server was authenticated that may name
 * hosts for them, and without TLS a host on the way that can change the answer has read them already.
 *
 * - The scheme is the same, or the one with TLS.
 * - The query of the dialled URL stays, unless the redirect brings one: it may have a token for a proxy.
 *
 * @throws EtherwsError HANDSHAKE_REJECTED for a redirect that is not followed
 */
export function redirectTarget(from: TunnelUrl, location: string | undefined): TunnelUrl {
  const refuse = (why: string, hint: string): EtherwsError =>
    new EtherwsError('HANDSHAKE_REJECTED', `${from.shown} redirects ${why}`, { hint });
  if (location === undefined) throw refuse('without saying where', 'Look at the log of the server');
  const shown = `to ${shownUrl(location)}`;
  const base = from.href.replace(/^ws/, 'http');
  const http = location.replace(/^ws(s?):/i, 'http$1:');
  if (!URL.canParse(http, base)) throw refuse(`${shown}, which is no URL`, 'Look at the log of the server');
  const url = new URL(http, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(`${shown}, which is no WebSocket`, 'Dial another URL of that cluster');
  }
  if (from.isSecure && url.protocol !== 'https:') {
    throw refuse(
      `${shown}, which has no TLS`,
      'Correct the URL that the other node advertises; it must begin with wss://',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('to a URL with a user or a password', 'Correct the URL that the other node advertises');
  }
  url.hash = '';
  if (url.search === '') url.search = new URL(base).search;
  return parseTunnelUrl(url.href.replace(/^http/, 'ws'));
}

/** A node to which credentials would leave this host in the clear (`RedirectBounds.exposes`). */
export function exposing({
  to,
  from,
}: {
  readonly to: TunnelUrl;
  readonly from: { readonly url: TunnelUrl };
}): EtherwsError {
  return new EtherwsError(
    'HANDSHAKE_REJECTED',
    `${from.url.shown} leads to ${to.shown}, out of this host without TLS: credentials do not go there`,
    { hint: 'Have the other nodes advertise wss:// URLs, or dial them themselves' },
  );
}

/** A redirect leads to a URL that this attempt has dialled already. */
export function redirectLoop(from: TunnelUrl, to: TunnelUrl): EtherwsError {
  return new EtherwsError('HANDSHAKE_REJECTED', `${from.shown} redirects to ${to.shown}, which was dialled already`, {
    hint: 'The nodes of that cluster send clients to each other; look at their status, and at the load balancer in front',
  });
}

/** Each redirect led to another one. */
export function tooManyRedirects(url: TunnelUrl): EtherwsError {
  return new EtherwsError(
    'HANDSHAKE_REJECTED',
    `${url.shown} redirects for the ${MOST_REDIRECTS + 1}th time in a row`,
    {
      hint: 'The nodes of that cluster send clients to each other; look at their status, and at the load balancer in front',
    },
  );
}
