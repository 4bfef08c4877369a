import type { X509Certificate } from 'node:crypto';

/**
 * The names of a server certificate, in lower case: the DNS names (a wildcard begins
 * with `*.`) and IP addresses of its subjectAltName; and its common name, if the
 * subjectAltName has no DNS name (RFC 6125, 6.4.4).
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
 * Parses Node's text of a subjectAltName: `DNS:a.example, IP Address:192.0.2.1, DNS:"odd, \"name\""`.
 * Node quotes a value with separators as JSON (CVE-2021-44532). Such a value is no
 * host name and is ignored.
 */
function* alternativeNames(text: string): Generator<{ kind: string; value: string }> {
  for (const [, kind, value] of text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    if (kind !== undefined && value !== undefined && !value.startsWith('"')) yield { kind, value };
  }
}
