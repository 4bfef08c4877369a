import { EtherwsError } from '../../../errors.ts';
import { takeZoneOut, withZone } from '../../../net/url-zone.ts';

/** The protocol of a proxy. `socks5` gets addresses, which the client looks up; `socks5h` looks names up itself. */
export type ProxyKind = 'http' | 'https' | 'socks5' | 'socks5h';

/** The parts of a valid URL of a proxy. */
export interface ProxyServer {
  readonly kind: ProxyKind;
  /** a name or an address, an IPv6 one without brackets */
  readonly host: string;
  readonly listenPort: number;
  /** read once for each connection, when the one to the proxy stands */
  readonly credentials: { readonly user: string; readonly passwd: string } | undefined;
  /** the URL without credentials */
  readonly shown: string;
}

const DEFAULT_PORTS: Readonly<Record<ProxyKind, number>> = { http: 80, https: 443, socks5: 1080, socks5h: 1080 };

/** Limit of a user name and of a password in SOCKS5 (RFC 1929, 2). */
const SOCKS_CREDENTIAL_BYTES = 255;

const HINT = 'Write it as http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT';

/**
 * Parses a proxy's URL; one without a scheme, as HTTP_PROXY often has it, means an HTTP proxy.
 * @param source its origin, for the message: `--proxy`, `HTTPS_PROXY`
 * @throws EtherwsError ARGUMENT_INVALID; the message repeats no password
 */
export function parseProxyUrl(text: string, source: string): ProxyServer {
  const { url: complete, zone } = takeZoneOut(text.includes('://') ? text : `http://${text}`);
  const said = JSON.stringify(text.replace(/^(.*:\/\/)?.*@/, '$1…@'));
  if (!URL.canParse(complete)) throw invalid(`${source} ${said} is no URL`);
  const url = new URL(complete);
  const kind = url.protocol.slice(0, -1);
  if (!isProxyKind(kind)) throw invalid(`${source} ${said} is of no kind of proxy that is known here`);
  if (url.hostname === '') throw invalid(`${source} ${said} names no host`);
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw invalid(`${source} ${said} has a path, which a proxy has not`);
  }
  const credentials = credentialsOf(url, `${source} ${said}`);
  const isTooLong = (word: string): boolean => Buffer.byteLength(word) > SOCKS_CREDENTIAL_BYTES;
  if (kind.startsWith('socks') && credentials !== undefined && Object.values(credentials).some(isTooLong)) {
    throw invalid(`${source} ${said} has a user or a password of more than ${SOCKS_CREDENTIAL_BYTES} bytes`);
  }
  const listenPort = url.port === '' ? DEFAULT_PORTS[kind] : Number(url.port);
  const host = withZone(url.hostname.replace(/^\[(.*)\]$/, '$1'), zone);
  return {
    kind,
    host,
    listenPort,
    credentials,
    shown: `${kind}://${host.includes(':') ? `[${host}]` : host}:${listenPort}`,
  };
}

function credentialsOf(url: URL, what: string): ProxyServer['credentials'] {
  if (url.username === '' && url.password === '') return undefined;
  try {
    return { user: decodeURIComponent(url.username), passwd: decodeURIComponent(url.password) };
  } catch {
    throw invalid(`${what} has a % in its user or password that two hexadecimal digits do not follow`);
  }
}

function isProxyKind(kind: string): kind is ProxyKind {
  return Object.hasOwn(DEFAULT_PORTS, kind);
}

function invalid(message: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, { hint: HINT });
}
