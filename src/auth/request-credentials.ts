import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { accessTokenOf } from './access-token.ts';
import type { Credentials } from './authenticator.ts';

/** The most certificates of a chain that are kept. */
const MAX_CHAIN_LENGTH = 10;
/** The chain of each connection. Reading `issuerCertificate` consumes it, so it is read only once. */
const CHAINS = new WeakMap<TLSSocket, readonly X509Certificate[]>();

/**
 * All credentials of a request. Neither the result nor the request's URL may be logged.
 * @param remoteAddress the client's address, if a proxy reported it; default: the socket's
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
  // `authorized` is true only if a certificate was requested, presented, and verified.
  if (!socket.authorized) return [];
  const known = CHAINS.get(socket);
  if (known !== undefined) return known;
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  for (; next !== undefined && chain.length < MAX_CHAIN_LENGTH; next = next.issuerCertificate) chain.push(next);
  CHAINS.set(socket, chain);
  return chain;
}
