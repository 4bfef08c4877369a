import type { X509Certificate } from 'node:crypto';

/** The longest certification path, from the client's certificate to the one below the root. Bounds the recursion. */
const MAX_PATH_LENGTH = 10;

/** The certificate authorities that are trusted to issue client certificates. */
export class ClientAuthorities {
  readonly #authorities: readonly X509Certificate[];

  constructor(authorities: readonly X509Certificate[]) {
    this.#authorities = authorities;
  }

  /**
   * Whether a certificate has a valid path to one of the roots now. The handshake has verified that already, but in the
   * lifetime of a connection certificates expire, and authorities are replaced.
   * @param chain the client's certificate, followed by the other certificates that the client sent
   * @param nowMs milliseconds since 1970, by the wall clock
   */
  verify(chain: readonly X509Certificate[], nowMs: number): boolean {
    const [own, ...others] = chain;
    return own !== undefined && this.#leadsToRoot(own, others, nowMs, MAX_PATH_LENGTH);
  }

  #leadsToRoot(certificate: X509Certificate, others: readonly X509Certificate[], nowMs: number, most: number): boolean {
    if (most === 0 || !isValidAt(certificate, nowMs)) return false;
    const isIssuer = (other: X509Certificate): boolean =>
      certificate.checkIssued(other) && certificate.verify(other.publicKey);
    const roots = this.#authorities.filter((authority) => isSelfIssued(authority) && isIssuer(authority));
    if (roots.some((root) => isValidAt(root, nowMs))) return true;
    return [...this.#authorities, ...others].some(
      (other) =>
        other.ca && !isSelfIssued(other) && isIssuer(other) && this.#leadsToRoot(other, others, nowMs, most - 1),
    );
  }

  /** A warning for each authority by which no client can be verified. */
  warnings(): string[] {
    const hasIssuer = (certificate: X509Certificate): boolean =>
      this.#authorities.some((other) => certificate.checkIssued(other));
    return this.#authorities
      .filter((certificate) => !hasIssuer(certificate))
      .map((certificate) => {
        const [subject, issuer] = [certificate.subject, certificate.issuer].map(inOneLine);
        return `the authority ${subject} verifies no client without its issuer: add the certificate of ${issuer}, and so on up to the root`;
      });
  }
}

function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo);
}

function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}

function inOneLine(name: string): string {
  return `"${name.replaceAll('\n', ', ')}"`;
}
