import { constants, type X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { readCertificates, readPemFile } from './certificate-file.ts';
import { ClientAuthorities } from './client-authorities.ts';
import { holdsControlCharacters } from './control-characters.ts';

/** The clients that a service admits by certificate. */
export interface ClientTrust {
  readonly authorities: ClientAuthorities;
  /** for `https.createServer` and `tls.Server.setSecureContext` */
  readonly options: Required<Pick<TlsOptions, 'ca' | 'requestCert' | 'rejectUnauthorized' | 'secureOptions'>>;
}

/**
 * Reads the authorities that may vouch for clients. Clients need no certificate: without one, or with a bad one, they
 * get an HTTP answer that says so instead of a torn connection, and may come in another way.
 *
 * No session is resumed: OpenSSL would take the verdict of the first handshake for that of all later ones, and does not
 * keep the chain by which it could be judged again.
 * @param caFile the authorities, in PEM
 * @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID
 */
export async function readClientTrust(caFile: string): Promise<ClientTrust> {
  const { text } = await readPemFile(caFile, 'certificate');
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
 * Lets in clients that proved in the TLS handshake to own a certificate for which one of the authorities vouches, still.
 * The user is the common name of its subject.
 */
export class ClientCertificateAuthenticator implements Authenticator {
  /** HTTP has no challenge for what TLS already asked for. */
  readonly challenge: string = '';
  readonly #authorities: () => ClientAuthorities;

  /** @param authorities those in force, which are asked for at every opening */
  constructor(authorities: () => ClientAuthorities) {
    this.#authorities = authorities;
  }

  authenticate({ clientChain = [] }: Credentials): Promise<Verdict> {
    return Promise.resolve(this.#judge(clientChain));
  }

  #judge(chain: readonly X509Certificate[]): Verdict {
    const [certificate] = chain;
    // As with one that the handshake did not take: it is no guess, and what else the request says may do.
    if (certificate === undefined || !this.#authorities().vouchFor(chain, Date.now())) {
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
 * @returns undefined without a common name that can name a user, and with
 *   several: it is unknown which of them the authority checked
 */
export function commonName({ subject }: X509Certificate): string | undefined {
  // A line an attribute; within it Node escapes as RFC 2253 does, line ends in hexadecimal.
  const names = subject.split('\n').filter((line) => /(^|\+) *CN=/.test(line));
  const value = names.length === 1 ? /^CN=((?:[^\\+]|\\[ ,+"\\<>;=#])*)$/.exec(names[0] ?? '')?.[1] : undefined;
  const name = value?.replaceAll(/\\(.)/g, '$1');
  return name === undefined || name === '' || name.length > 255 || holdsControlCharacters(name) ? undefined : name;
}
