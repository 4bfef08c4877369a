import type { X509Certificate } from 'node:crypto';

/** More certificates between a client's own and a root no handshake takes. */
const MAX_PATH_LENGTH = 10;

/** The authorities that may vouch for clients. */
export class ClientAuthorities {
  readonly #authorities: readonly X509Certificate[];

  constructor(authorities: readonly X509Certificate[]) {
    this.#authorities = authorities;
  }

  /**
   * Whether one of the authorities vouches for a certificate now. The handshake has asked that already, but a
   * connection may outlive the answer: certificates expire, and authorities are replaced.
   * @param shown the client's own certificate, and behind it those that the client sent along
   * @param nowMs by the system's clock, since 1970
   */
  vouchFor(shown: readonly X509Certificate[], nowMs: number): boolean {
    const [own, ...others] = shown;
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

  /** A warning for each authority that cannot verify any client. */
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
