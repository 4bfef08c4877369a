import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { retryAfterMs } from '../../../net/retry-after.ts';
import type { DialAttempt } from '../connect/dial-attempt.ts';
import { brokenProxy, refusedByProxy, unauthorizedAtProxy } from './proxy-errors.ts';
import type { ProxyServer } from './proxy-url.ts';

/**
 * Opens a tunnel through an HTTP proxy by CONNECT (RFC 9110, 9.3.6).
 * @returns the same connection, which now leads there
 * @throws EtherwsError PROXY_AUTH_FAILED, PROXY_REFUSED, PROXY_FAILED
 */
export function connectThroughHttp(
  socket: Socket,
  proxy: ProxyServer,
  host: string,
  listenPort: number,
  { signal }: DialAttempt,
): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${listenPort}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...authorization(proxy) },
      createConnection: () => socket,
    });
    const abort = (): void => {
      reject(signal.reason);
      asking.destroy();
    };
    signal.addEventListener('abort', abort, { once: true });
    asking.on('close', () => signal.removeEventListener('abort', abort));
    asking.on('error', (error) => reject(brokenProxy(proxy, error)));
    asking.on('response', (response) => reject(judge(response, proxy, authority)));
    asking.on('connect', (response: IncomingMessage, connected: Socket, head: Buffer) => {
      signal.removeEventListener('abort', abort);
      const failure = judge(response, proxy, authority);
      if (failure !== undefined) reject(failure);
      else if (head.length > 0) reject(brokenProxy(proxy, new Error('it sent more than its answer')));
      else resolve(connected);
    });
    asking.end();
  });
}

function judge(response: IncomingMessage, proxy: ProxyServer, authority: string): Error | undefined {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return undefined;
  const answer = `${status} ${response.statusMessage ?? ''}`.trim();
  if (status === 407) return unauthorizedAtProxy(proxy, answer, response.headers['proxy-authenticate']?.toString());
  return refusedByProxy(proxy, authority, answer, retryAfterMs(response, Date.now()));
}

function authorization({ credentials }: ProxyServer): Record<string, string> {
  if (credentials === undefined) return {};
  const { user, passwd } = credentials;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(`${user}:${passwd}`, 'utf8').toString('base64')}` };
}
