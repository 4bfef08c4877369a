import type { X509Certificate } from 'node:crypto';

/**
 * The names that a certificate vouches for, in lower case: DNS names (`*.` in
 * front of a wildcard) and IP addresses of its subjectAltName; its common name
 * only where it has no DNS name there (RFC 6125, 6.4.4).
 */
export function certificateNames(certificate: X509Certificate): string[] {
  const names: string[] = [];
  let hasDnsName = false;
  for (const { kind, value } of alternativeNames(certificate.subjectAltName ?? '')) {
    if (kind === 'DNS' && HOST_NAME.test(value)) {
      hasDnsName = true;
      names.push(value.toLowerCase());
    } else if (kind === 'IP Address') {
      names.push(value.toLowerCase());
    }
  }
  const commonName = /(?:^|\n)CN=(.*)/.exec(certificate.subject)?.[1];
  if (!hasDnsName && commonName !== undefined && HOST_NAME.test(commonName)) names.push(commonName.toLowerCase());
  return [...new Set(names)];
}

const HOST_NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

/**
 * Takes Node's rendering apart: `DNS:a.example, IP Address:192.0.2.1, DNS:"odd, \"name\""`.
 * A value that holds the separators is quoted as JSON (CVE-2021-44532), and
 * then is no host name: it is ignored as a whole.
 */
function* alternativeNames(text: string): Generator<{ kind: string; value: string }> {
  for (const [, kind, value] of text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    if (kind !== undefined && value !== undefined && !value.startsWith('"')) yield { kind, value };
  }
}
