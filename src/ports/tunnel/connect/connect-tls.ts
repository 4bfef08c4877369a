import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { trusting } from '../../../auth/certificate-file.ts';
import { enforcePins } from '../../../auth/public-key-pin.ts';
import { endWhenBroken } from '../../../net/tls/end-when-broken.ts';
import { copyEndpoints, onClientKeylog, TlsRecordTap } from '../../../net/tls/tls-record-tap.ts';
import { TLS_PARAMETERS } from '../../../net/tls-parameters.ts';
import type { DialAttempt } from './dial-attempt.ts';

/** How a TLS client verifies the server, and the certificate that it presents. */
export interface TlsIdentityOptions {
  /** trusted certificates in PEM, roots or not; they replace the default roots */
  readonly cacerts?: string | Buffer | (string | Buffer)[] | undefined;
  /** verify nothing */
  readonly isInsecure?: boolean | undefined;
  /** the accepted public keys of the server (parsePins); without `cacerts` its certificate needs no authority */
  readonly pins?: readonly string[] | undefined;
  /** the name to send (SNI) and to verify, instead of the host */
  readonly servername?: string | undefined;
  /** the client's certificate and its key in PEM */
  readonly clientCertificate?: { readonly key: string; readonly cert: string } | undefined;
}

/**
 * Makes TLS 1.2 or later over a connected socket, or over a relay in front of it, and verifies the host.
 * @throws as tls.connect does
 */
export async function connectTls(
  socket: Duplex,
  host: string,
  options: TlsIdentityOptions,
  attempt: DialAttempt,
): Promise<TLSSocket> {
  const { cacerts, isInsecure, pins, servername, clientCertificate } = options;
  const isVouchedFor = pins !== undefined && cacerts === undefined;
  const secured = attempt.hold(
    connect({
      socket,
      host,
      servername: servername ?? (isIP(host) === 0 ? host : ''),
      ...TLS_PARAMETERS,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: isInsecure !== true && !isVouchedFor,
      // To Node an empty string means the default roots; here it means no authority.
      ...(cacerts === undefined ? {} : trusting(cacerts.length === 0 ? [] : cacerts)),
      ...clientCertificate,
    }),
  );
  endWhenBroken(secured);
  if (socket instanceof TlsRecordTap) {
    onClientKeylog(secured, socket);
    copyEndpoints(secured);
  }
  if (pins !== undefined) enforcePins(secured, pins, host);
  await attempt.reached(secured, 'secureConnect');
  if (secured.errored !== null) throw secured.errored; // another key than the one that was pinned
  return secured;
}
