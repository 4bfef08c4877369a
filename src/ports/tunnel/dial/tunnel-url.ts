import { EtherwsError } from '../../../errors.ts';
import { shownUrl } from '../../../net/shown-url.ts';
import { putZoneIn, takeZoneOut, withZone } from '../../../net/url-zone.ts';

/** Where to dial, taken apart and checked. */
export interface TunnelUrl {
  /** what is dialled: with its whole query, in which a token may stand, and without user and password */
  readonly href: string;
  /** the same as it may be shown (shownUrl) */
  readonly shown: string;
  readonly isSecure: boolean;
  /** a name in ASCII, or an address, an IPv6 one without brackets */
  readonly host: string;
  /** the same with the zone of a link-local address, as it is connected to */
  readonly dialHost: string;
  readonly listenPort: number;
  /** what a browser page of that very host would send */
  readonly origin: string;
  /** undefined when the URL names no user */
  readonly user: string | undefined;
  readonly passwd: string | undefined;
}

const EXAMPLE = 'Write it as ws://HOST:PORT/PATH or wss://HOST:PORT/PATH';

/** @throws EtherwsError ARGUMENT_INVALID when it is no URL that can be dialled */
export function parseTunnelUrl(text: string): TunnelUrl {
  // Whatever is wrong, a secret that may stand in the text is not repeated.
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
