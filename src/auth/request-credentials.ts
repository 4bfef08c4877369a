import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { accessTokenOf } from './access-token.ts';
import type { Credentials } from './authenticator.ts';

/**
 * Everything by which a request may prove who sent it. Neither the result nor the request's URL belongs into a log.
 * @param remoteAddress whom it comes from, where that is not the address of its socket but what a proxy said
 */
export function credentialsOf(request: IncomingMessage, remoteAddress?: string): Credentials {
  const { socket, headers, url = '' } = request;
  const accessToken = accessTokenOf(url);
  // `authorized` is true only for a certificate that was asked for, shown, and verified.
  const isVerified = socket instanceof TLSSocket && socket.authorized;
  const clientCertificate = isVerified ? socket.getPeerX509Certificate() : undefined;
  return {
    authorization: headers.authorization,
    remoteAddress: remoteAddress ?? socket.remoteAddress ?? '',
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}
