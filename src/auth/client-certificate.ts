import type { X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { readCaCerts } from './certificate-file.ts';
import { holdsControlCharacters } from './control-characters.ts';

/**
 * What a TLS server needs to ask its clients for certificates. They need not
 * have one: who has none, or a bad one, gets an HTTP answer that says so instead
 * of a torn connection, and may come in another way.
 * @param caFile the authorities that may vouch for clients, in PEM
 * @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID
 */
export async function clientCertificateOptions(
  caFile: string,
): Promise<Required<Pick<TlsOptions, 'ca' | 'requestCert' | 'rejectUnauthorized'>>> {
  return { ca: await readCaCerts(caFile), requestCert: true, rejectUnauthorized: false };
}

/**
 * Lets in whoever proved in the TLS handshake to own a certificate of one of
 * these authorities. The user is the common name of its subject.
 */
export class ClientCertificateAuthenticator implements Authenticator {
  /** HTTP has no challenge for what TLS already asked for. */
  readonly challenge: string = '';

  authenticate({ clientCertificate }: Credentials): Promise<Verdict> {
    if (clientCertificate === undefined) return Promise.resolve({ isAllowed: false, reason: 'missing' });
    const user = commonName(clientCertificate);
    return Promise.resolve(user === undefined ? { isAllowed: false, reason: 'wrong' } : { isAllowed: true, user });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * @returns undefined without a common name that can name a user, and with
 *   several: which of them the authority checked nobody knows
 */
export function commonName({ subject }: X509Certificate): string | undefined {
  // A line an attribute; within it Node escapes as RFC 2253 does, line ends in hexadecimal.
  const names = subject.split('\n').filter((line) => /(^|\+) *CN=/.test(line));
  const value = names.length === 1 ? /^CN=((?:[^\\+]|\\[ ,+"\\<>;=#])*)$/.exec(names[0] ?? '')?.[1] : undefined;
  const name = value?.replaceAll(/\\(.)/g, '$1');
  return name === undefined || name === '' || name.length > 255 || holdsControlCharacters(name) ? undefined : name;
}
