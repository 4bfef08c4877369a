import { onlyForeignSchemes } from '../../../auth/challenges.ts';
import { describeError, EtherwsError } from '../../../errors.ts';
import { explainConnectError } from '../../../net/connect-errors.ts';
import { RetryLaterError } from '../../../net/retry-after.ts';
import { CLIENT_TRUST_OPTIONS, explainTlsError } from '../../../net/tls-errors.ts';
import type { ProxyServer } from './proxy-url.ts';

/** No connection to the proxy itself. */
export function unreachableProxy(proxy: ProxyServer, error: unknown): EtherwsError {
  const { host, listenPort } = proxy;
  const explained =
    explainConnectError(error, host, listenPort) ?? explainTlsError(error, host, CLIENT_TRUST_OPTIONS) ?? error;
  const why = explained instanceof Error ? explained.message : describeError(error);
  return new EtherwsError('PROXY_UNREACHABLE', `The proxy ${proxy.shown} cannot be had: ${why}`, {
    cause: error,
    hint: 'Check --proxy, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY of the switch; --proxy direct uses none',
  });
}

export function slowProxy(proxy: ProxyServer, timeoutMs: number): EtherwsError {
  return new EtherwsError('PROXY_UNREACHABLE', `The proxy ${proxy.shown} made no way within ${timeoutMs / 1000} s`, {
    hint: 'It may be overloaded, or wait for the host behind it',
  });
}

/** @param challenges the value of Proxy-Authenticate */
export function unauthorizedAtProxy(proxy: ProxyServer, answer: string, challenges?: string): EtherwsError {
  const foreign = onlyForeignSchemes(challenges, ['basic']);
  if (foreign !== undefined) {
    const message = `The proxy ${proxy.shown} offers only ${foreign}, and etherws knows only Basic (${answer})`;
    return new EtherwsError('PROXY_AUTH_FAILED', message, {
      hint: 'Have Basic allowed there, or run a proxy on this host that speaks it, such as cntlm or px, and dial through that',
    });
  }
  const isGiven = proxy.credentials !== undefined;
  return new EtherwsError(
    'PROXY_AUTH_FAILED',
    `The proxy ${proxy.shown} ${isGiven ? 'refused' : 'wants'} a user and a password (${answer})`,
    { hint: `${isGiven ? 'Check them in' : 'Write them into'} its URL: ${proxy.kind}://USER:PASSWORD@HOST:PORT` },
  );
}

/**
 * The proxy works, but does not connect to the destination.
 * @param retryAfterMs the wait that it asked for
 */
export function refusedByProxy(
  proxy: ProxyServer,
  destination: string,
  answer: string,
  retryAfterMs?: number,
): EtherwsError {
  const message = `The proxy ${proxy.shown} makes no way to ${destination} (${answer})`;
  if (retryAfterMs !== undefined) {
    const hint = `It is busy, and asks to try again in ${Math.ceil(retryAfterMs / 1000)} s`;
    return new RetryLaterError('PROXY_REFUSED', message, { hint, retryAfterMs });
  }
  return new EtherwsError('PROXY_REFUSED', message, {
    hint: 'Check the URL; many proxies allow port 443 only, and NO_PROXY names hosts to be dialled without one',
  });
}

/** The peer does not speak the protocol of such a proxy. */
export function brokenProxy(proxy: ProxyServer, error: unknown): EtherwsError {
  const why = error instanceof Error ? error.message : String(error);
  return new EtherwsError('PROXY_FAILED', `${proxy.shown} does not answer as a proxy of its kind (${why})`, {
    cause: error,
    hint: 'Check the scheme and the port of the proxy: http, https, socks5 or socks5h',
  });
}
