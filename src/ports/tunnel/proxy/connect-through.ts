import type { Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { connectTcp, type TcpOptions } from '../connect/connect-tcp.ts';
import { connectTls, type TlsIdentityOptions } from '../connect/connect-tls.ts';
import type { DialAttempt } from '../connect/dial-attempt.ts';
import { connectThroughHttp } from './http-connect.ts';
import { unreachableProxy } from './proxy-errors.ts';
import type { ProxyServer } from './proxy-url.ts';
import { connectThroughSocks } from './socks5.ts';

/**
 * Connects to a destination through a proxy.
 * @param cacerts further certificate authorities for an HTTPS proxy
 * @throws EtherwsError PROXY_UNREACHABLE, PROXY_AUTH_FAILED, PROXY_REFUSED, PROXY_FAILED, NAME_UNRESOLVED
 */
export async function connectThrough(
  proxy: ProxyServer,
  host: string,
  listenPort: number,
  options: TcpOptions & Pick<TlsIdentityOptions, 'cacerts'>,
  attempt: DialAttempt,
): Promise<Socket> {
  const socket = await reachProxy(proxy, options, attempt);
  const connect = proxy.kind.startsWith('socks') ? connectThroughSocks : connectThroughHttp;
  return connect(socket, proxy, host, listenPort, attempt, options);
}

async function reachProxy(
  proxy: ProxyServer,
  options: TcpOptions & Pick<TlsIdentityOptions, 'cacerts'>,
  attempt: DialAttempt,
): Promise<Socket> {
  try {
    const socket = await connectTcp(proxy.host, proxy.listenPort, options, attempt);
    if (proxy.kind !== 'https') return socket;
    const cacerts = [...rootCertificates, options.cacerts ?? []].flat();
    return await connectTls(socket, proxy.host, { cacerts }, attempt);
  } catch (error) {
    attempt.signal.throwIfAborted();
    throw unreachableProxy(proxy, error);
  }
}
