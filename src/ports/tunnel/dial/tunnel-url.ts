import { EtherwsError } from '../../../errors.ts';
import { shownUrl } from '../../../net/shown-url.ts';
import { putZoneIn, takeZoneOut, withZone } from '../../../net/url-zone.ts';

/** The parts of a valid URL of a tunnel. */
export interface TunnelUrl {
  /** the URL to dial: with its whole query, which may have a token, and without user and password */
  readonly href: string;
  /** the same without secrets (shownUrl) */
  readonly shown: string;
  readonly isSecure: boolean;
  /** a name in ASCII, or an address, an IPv6 one without brackets */
  readonly host: string;
  /** the same with the zone of a link-local address, for connect(2) */
  readonly dialHost: string;
  readonly listenPort: number;
  /** the `Origin` that a browser would send from a page of the same host */
  readonly origin: string;
  /** undefined when the URL names no user */
  readonly user: string | undefined;
  readonly passwd: string | undefined;
}

const EXAMPLE = 'Write it as ws://HOST:PORT/PATH or wss://HOST:PORT/PATH';

/** @throws EtherwsError ARGUMENT_INVALID for anything but a valid ws:// or wss:// URL */
export function parseTunnelUrl(text: string): TunnelUrl {
  // Messages do not repeat a secret that the text may have.
  const said = shownUrl(text);
  const { url: bare, zone } = takeZoneOut(text);
  if (!URL.canParse(bare)) throw invalid(`${said} is no URL`);
  const url = new URL(bare);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw invalid(`${said} begins with ${url.protocol}//, not ws:// or wss://`);
  }
  if (text.includes('#')) throw invalid(`${said} has a fragment (#), which a WebSocket URL cannot have`);
  const isSecure = url.protocol === 'wss:';
  const user = decoded(url.username, said);
  const passwd = decoded(url.password, said);
  url.username = '';
  url.password = '';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    href: url.href,
    shown: putZoneIn(shownUrl(url.href), zone),
    isSecure,
    host,
    dialHost: withZone(host, zone),
    listenPort: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    origin: `${isSecure ? 'https' : 'http'}://${url.host}`,
    user: user === '' && passwd === '' ? undefined : user,
    passwd: user === '' && passwd === '' ? undefined : passwd,
  };
}

function decoded(percentEncoded: string, said: string): string {
  try {
    return decodeURIComponent(percentEncoded);
  } catch {
    throw invalid(`The user or the password in ${said} has a % that is not followed by two hexadecimal digits`);
  }
}

function invalid(message: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, { hint: EXAMPLE });
}

/** The host and the TCP port of a tunnel's URL; `text` is both as CONNECT names them (RFC 9110, 9.3.6). @throws as `parseTunnelUrl` */
export function authorityOf(url: string): Pick<TunnelUrl, 'host' | 'listenPort' | 'isSecure'> & { text: string } {
  const { host, listenPort, isSecure } = parseTunnelUrl(url);
  return { host, listenPort, isSecure, text: `${host.includes(':') ? `[${host}]` : host}:${listenPort}` };
}
