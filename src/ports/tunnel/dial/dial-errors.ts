import type { IncomingMessage } from 'node:http';
import { onlyForeignSchemes } from '../../../auth/challenges.ts';
import { codeOf, type ErrorCode, EtherwsError } from '../../../errors.ts';
import { explainConnectError } from '../../../net/connect-errors.ts';
import { MeshFullError, RetryLaterError, retryAfterMs } from '../../../net/retry-after.ts';
import { shownUrl } from '../../../net/shown-url.ts';
import { CLIENT_TRUST_OPTIONS, explainTlsError } from '../../../net/tls-errors.ts';
import { MESH_FULL_HEADER } from '../../../wire/tunnel/mesh-headers.ts';
import type { DialStage } from '../connect/dial-attempt.ts';
import type { TunnelUrl } from './tunnel-url.ts';

/** Explains why a URL could not be dialled. */
export function explainDialError(error: unknown, url: TunnelUrl, stage: DialStage): EtherwsError {
  // With TLS 1.3 the server checks a client's certificate after the client's handshake, so its alert arrives in stage
  // `http`. A TCP reset there is no failure of TLS.
  const isOfTls = stage === 'tls' || (stage === 'http' && url.isSecure && codeOf(error) !== 'ECONNRESET');
  const explained =
    (isOfTls ? explainTlsError(error, url.host, CLIENT_TRUST_OPTIONS) : undefined) ??
    (stage === 'lookup' || stage === 'connect' ? explainConnectError(error, url.dialHost, url.listenPort) : undefined);
  return explained ?? notWebSocket(error, url);
}

/** Whether dialling again will hardly help: an operator has to change something first. */
export function isLastingFailure(error: unknown): boolean {
  return error instanceof EtherwsError && LASTING.has(error.code);
}

const LASTING: ReadonlySet<ErrorCode> = new Set([
  'AUTH_FAILED',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_NAME_MISMATCH',
  'CERTIFICATE_PIN_MISMATCH',
  'CERTIFICATE_UNTRUSTED',
  'FILE_UNREADABLE',
  'PROXY_AUTH_FAILED',
  'TUNNEL_FORBIDDEN',
  'TUNNEL_TO_SELF',
]);

/** Explains an HTTP response other than 101 Switching Protocols. */
export function explainResponse(response: IncomingMessage, url: TunnelUrl, isAuthenticated: boolean): EtherwsError {
  const status = response.statusCode ?? 0;
  const answer = `${status} ${response.statusMessage ?? ''}`.trim();
  if (status === 401) {
    const foreign = onlyForeignSchemes(response.headers['www-authenticate'], ['basic', 'bearer']);
    if (foreign !== undefined) {
      const message = `${url.shown} offers only ${foreign}, and etherws knows Basic and Bearer (${answer})`;
      return new EtherwsError('AUTH_FAILED', message, {
        hint: 'Have one of these allowed for the path on that server, or on the proxy in front of it',
      });
    }
    return new EtherwsError(
      'AUTH_FAILED',
      isAuthenticated
        ? `${url.shown} refused the user or the password (${answer})`
        : `${url.shown} wants a user and a password (${answer})`,
      { hint: isAuthenticated ? 'Check --user and --passwd' : 'Give --user; the password is then asked for' },
    );
  }
  if ((status >= 200 && status < 300) || status === 426) {
    return new EtherwsError('NOT_WEBSOCKET', `${url.shown} answers with a page, not with a WebSocket (${answer})`, {
      hint: 'Check the path of the URL; a reverse proxy in front of the switch must pass Upgrade and Connection on',
    });
  }
  if (status === 403) {
    return new EtherwsError('TUNNEL_FORBIDDEN', `${url.shown} forbids the tunnel (${answer})`, {
      hint: 'The server forbids it to this user, address or origin',
    });
  }
  const message = `${url.shown} rejected the tunnel: ${answer}`;
  const waitMs = retryAfterMs(response, Date.now());
  if (waitMs !== undefined) {
    const hint = `${BUSY[status]}; it asks to try again in ${Math.ceil(waitMs / 1000)} s`;
    const isMeshFull = response.headers[MESH_FULL_HEADER.toLowerCase()] !== undefined;
    return new (isMeshFull ? MeshFullError : RetryLaterError)('HANDSHAKE_REJECTED', message, {
      hint,
      retryAfterMs: waitMs,
    });
  }
  return new EtherwsError('HANDSHAKE_REJECTED', message, { hint: hintFor(status, response.headers.location, url) });
}

/** The statuses with which a server asks for a wait (`Retry-After`), in words. */
const BUSY: Readonly<Record<number, string>> = {
  429: 'The server wants fewer tries or tunnels of this user or address',
  503: 'The server is busy or full',
};

/** No name server has answered within the time limit. */
export function slowLookup(name: string, timeoutMs: number): EtherwsError {
  return new EtherwsError('NAME_UNRESOLVED', `The look-up of the name ${name} took longer than ${timeoutMs / 1000} s`, {
    hint: 'Check the name servers in /etc/resolv.conf and the way to them, or use an address',
  });
}

/** The switch has dialled itself. */
export function explainLoop(url: TunnelUrl): EtherwsError {
  return new EtherwsError('TUNNEL_TO_SELF', `${url.shown} leads back to this switch; such a tunnel would be a loop`, {
    hint: 'Dial the other switch; where a proxy or a load balancer answers, look where it sends the request',
  });
}

/** The time limit passed at this stage. */
export function explainTimeout(url: TunnelUrl, stage: Exclude<DialStage, 'lookup'>, timeoutMs: number): EtherwsError {
  const seconds = timeoutMs / 1000;
  const where = `${url.host} port ${url.listenPort}`;
  if (stage === 'connect') {
    return new EtherwsError('HANDSHAKE_TIMEOUT', `${where} did not answer within ${seconds} s`, {
      hint: 'Check the address, and that no firewall swallows the packets',
    });
  }
  const layer = stage === 'tls' ? 'the TLS' : 'the WebSocket';
  return new EtherwsError('HANDSHAKE_TIMEOUT', `${where} did not finish ${layer} handshake within ${seconds} s`, {
    hint: 'Something listens there, but it may speak another protocol, or be overloaded',
  });
}

/** The target of a redirect as a ws:// or wss:// URL: servers send http:// and https:// ones, and relative ones. */
function asTunnelUrl(location: string, { href }: TunnelUrl): string {
  return URL.canParse(location, href) ? new URL(location, href).href.replace(/^http(s?):/, 'ws$1:') : location;
}

function notWebSocket(error: unknown, url: TunnelUrl): EtherwsError {
  if (isHttp2(error)) {
    return new EtherwsError('NOT_WEBSOCKET', `${url.shown} answers in HTTP/2, and not in HTTP/1.1`, {
      cause: error,
      hint: 'Allow HTTP/1.1 on that port: tunnels begin with its Upgrade (RFC 6455)',
    });
  }
  const code = codeOf(error);
  const what = error instanceof Error ? error.message : String(error);
  const isSilent = code === 'ECONNRESET' || code === 'EPIPE';
  const message = isSilent
    ? `${url.shown} closed the connection without an answer`
    : `${url.shown} does not answer as a WebSocket server (${what})`;
  const hint = url.isSecure ? 'Check the port and the path' : 'Check the port and the path; it may want wss://';
  return new EtherwsError('NOT_WEBSOCKET', message, { cause: error, hint });
}

function hintFor(status: number, location: string | undefined, url: TunnelUrl): string {
  if (status >= 300 && status < 400) {
    return location === undefined
      ? 'Redirects are not followed'
      : `Redirects are not followed; try ${shownUrl(asTunnelUrl(location, url))}`;
  }
  if (status === 404) return 'Check the path of the URL against the --path of the switch';
  const busy = BUSY[status];
  if (busy !== undefined) return `${busy}; try again later`;
  if (status >= 500) return 'Look at the log of the server, and of a proxy in front of it';
  return 'Look at the log of the server';
}

/** Whether the octets that the parser of HTTP/1.1 refused are HTTP/2's first frame, SETTINGS (RFC 9113, 3.4). */
function isHttp2(error: unknown): boolean {
  if (!(error instanceof Error && 'rawPacket' in error && error.rawPacket instanceof Uint8Array)) return false;
  const [type, ...rest] = error.rawPacket.subarray(3, 9);
  return type === 4 && rest.length === 5 && rest.every((octet) => octet === 0);
}
