import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { accessTokenOf } from './access-token.ts';
import type { Credentials } from './authenticator.ts';

/** More certificates a handshake does not take. */
const MAX_CHAIN_LENGTH = 10;
/** What a connection has shown; Node tells it only once (issuerCertificate takes it out of the connection). */
const CHAINS = new WeakMap<TLSSocket, readonly X509Certificate[]>();

/**
 * All credentials that a request shows. Neither the result nor the request's URL belongs into a log.
 * @param remoteAddress the client's address, where a proxy said it and it is not that of the socket
 */
export function credentialsOf(request: IncomingMessage, remoteAddress?: string): Credentials {
  const { socket, headers, url = '' } = request;
  const accessToken = accessTokenOf(url);
  return {
    authorization: headers.authorization,
    remoteAddress: remoteAddress ?? socket.remoteAddress ?? '',
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(socket instanceof TLSSocket ? { clientChain: chainOf(socket) } : {}),
  };
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  // True only for a certificate that was asked for, shown, and verified.
  if (!socket.authorized) return [];
  const known = CHAINS.get(socket);
  if (known !== undefined) return known;
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  for (; next !== undefined && chain.length < MAX_CHAIN_LENGTH; next = next.issuerCertificate) chain.push(next);
  CHAINS.set(socket, chain);
  return chain;
}
