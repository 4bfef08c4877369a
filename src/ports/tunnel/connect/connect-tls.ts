import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { trusting } from '../../../auth/certificate-file.ts';
import { enforcePins } from '../../../auth/public-key-pin.ts';
import { endWhenBroken } from '../../../net/tls/end-when-broken.ts';
import { copyEndpoints, onClientKeylog, TlsRecordTap } from '../../../net/tls/tls-record-tap.ts';
import { TLS_PARAMETERS } from '../../../net/tls-parameters.ts';
import type { DialAttempt } from './dial-attempt.ts';

/** The authorities that a TLS client trusts, and the certificate that it shows. */
export interface TlsIdentityOptions {
  /** certificates in PEM that are trusted, roots or not, and replace the default roots */
  readonly cacerts?: string | Buffer | (string | Buffer)[] | undefined;
  /** verify nothing */
  readonly isInsecure?: boolean | undefined;
  /** public keys of which the server must have one (parsePins); without `cacerts` its certificate needs no authority */
  readonly pins?: readonly string[] | undefined;
  /** the name that is asked for and verified, instead of the host's */
  readonly servername?: string | undefined;
  /** our own certificate in PEM, with its key */
  readonly clientCertificate?: { readonly key: string; readonly cert: string } | undefined;
}

/**
 * Makes TLS 1.2 or later over a connected socket or a relay before it, towards a host that is verified.
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
      // To Node an empty text means the default roots; here it means no authority.
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
