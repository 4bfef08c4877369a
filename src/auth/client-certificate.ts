import { constants, type X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { type PemReader, readCertificates, readPemFile } from './certificate-file.ts';
import { ClientAuthorities } from './client-authorities.ts';
import { holdsControlCharacters } from './control-characters.ts';

/** The authorities and TLS options for clients that are accepted by certificate. */
export interface ClientTrust {
  readonly authorities: ClientAuthorities;
  /** options of `https.createServer` and `tls.Server.setSecureContext` */
  readonly options: Required<Pick<TlsOptions, 'ca' | 'requestCert' | 'rejectUnauthorized' | 'secureOptions'>>;
}

/**
 * Reads the authorities that issue client certificates. The TLS handshake succeeds also without a client certificate,
 * and with an invalid one: the client then gets an HTTP response with the reason, and may present other credentials.
 *
 * TLS sessions are not resumed: OpenSSL would reuse the result of the first verification, and does not
 * keep the chain that a new verification needs.
 * @param caFile the authorities' certificates, in PEM
 * @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID
 */
export async function readClientTrust(caFile: string, read: PemReader = readPemFile): Promise<ClientTrust> {
  const { text } = await read(caFile, 'certificate');
  const certificates = readCertificates(caFile, text);
  return {
    authorities: new ClientAuthorities(certificates),
    options: {
      ca: certificates.map((certificate) => certificate.toString()).join(''),
      requestCert: true,
      rejectUnauthorized: false,
      secureOptions: constants.SSL_OP_NO_TICKET,
    },
  };
}

/**
 * Accepts clients whose certificate the TLS handshake verified, and which is still valid. The user is the common name of
 * its subject.
 */
export class ClientCertificateAuthenticator implements Authenticator {
  /** HTTP has no challenge for client certificates; TLS has requested one already. */
  readonly challenge: string = '';
  readonly #authorities: () => ClientAuthorities;

  /** @param authorities returns the current authorities; called for every login */
  constructor(authorities: () => ClientAuthorities) {
    this.#authorities = authorities;
  }

  authenticate({ clientChain = [] }: Credentials): Promise<Verdict> {
    return Promise.resolve(this.#judge(clientChain));
  }

  #judge(chain: readonly X509Certificate[]): Verdict {
    const [certificate] = chain;
    // `missing` also for an invalid certificate: it is no attempt to guess, and other credentials may be accepted.
    if (certificate === undefined || !this.#authorities().verify(chain, Date.now())) {
      return { isAllowed: false, reason: 'missing' };
    }
    const user = commonName(certificate);
    return user === undefined ? { isAllowed: false, reason: 'wrong' } : { isAllowed: true, user };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * @returns undefined without a common name that can be a user name, and with
 *   several, since it is unknown which of them the authority verified
 */
export function commonName({ subject }: X509Certificate): string | undefined {
  // One attribute a line. Node escapes within a line as RFC 2253 does, and line ends in hexadecimal.
  const names = subject.split('\n').filter((line) => /(^|\+) *CN=/.test(line));
  const value = names.length === 1 ? /^CN=((?:[^\\+]|\\[ ,+"\\<>;=#])*)$/.exec(names[0] ?? '')?.[1] : undefined;
  const name = value?.replaceAll(/\\(.)/g, '$1');
  return name === undefined || name === '' || name.length > 255 || holdsControlCharacters(name) ? undefined : name;
}
