import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { codeOf, EtherwsError } from '../errors.ts';
import { readUserFile, type UserFile } from '../runtime/user-file.ts';
import { foreignFormat, type PemContent } from './foreign-format.ts';

const MAX_PEM_BYTES: number = 4 * 1024 * 1024;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** At least one certificate, in the order of the file. */
export type CertificateChain = readonly [X509Certificate, ...X509Certificate[]];

/**
 * Reads a file that is to hold PEM.
 * @throws EtherwsError FILE_UNREADABLE; CERTIFICATE_INVALID for another format that is known, with how to convert it
 */
export async function readPemFile(path: string, wanted: PemContent): Promise<UserFile> {
  const file = await readUserFile(path, MAX_PEM_BYTES);
  const format = foreignFormat(path, file.octets, wanted);
  if (format === undefined) return file;
  throw invalidCertificate(`${path} is ${format.name}, and PEM is wanted`, { hint: format.hint });
}

/**
 * Reads certificates to trust, from a PEM file with one or more of them.
 * @returns them in PEM, for the `ca` of a TLS connection (trusting); anything else in the file is left out
 * @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID
 */
export async function readCaCerts(path: string): Promise<string> {
  const { text } = await readPemFile(path, 'certificate');
  return readCertificates(path, text)
    .map((certificate) => certificate.toString())
    .join('');
}

/**
 * Options of TLS with which exactly these certificates are trusted, whatever they are: a root, an authority below one
 * that need not be there, or the certificate of the peer itself (X509_V_FLAG_PARTIAL_CHAIN).
 * @param ca as from readCaCerts
 */
export function trusting<T extends NonNullable<SecureContextOptions['ca']>>(
  ca: T,
): { readonly ca: T; readonly allowPartialTrustChain: true } {
  return { ca, allowPartialTrustChain: true };
}

/** @throws EtherwsError CERTIFICATE_INVALID when `text` holds no certificate in PEM form, or a damaged one */
export function readCertificates(path: string, text: string): CertificateChain {
  const certificates: X509Certificate[] = [];
  for (const [index, pem] of [...text.matchAll(PEM_CERTIFICATE)].entries()) {
    try {
      certificates.push(new X509Certificate(pem[0]));
    } catch (error) {
      throw invalidCertificate(`Certificate ${index + 1} in ${path} cannot be read (${reasonOf(error)})`, {
        cause: error,
        hint: 'Was the file cut off, or edited?',
      });
    }
  }
  const [first, ...others] = certificates;
  if (first !== undefined) return [first, ...others];
  throw invalidCertificate(`${path} holds no certificate in PEM form`, {
    hint: text.includes('PRIVATE KEY-----')
      ? 'It holds a private key: were the key and the certificate exchanged?'
      : 'A PEM certificate begins with -----BEGIN CERTIFICATE-----',
  });
}

export function invalidCertificate(message: string, details: { cause?: unknown; hint: string }): EtherwsError {
  return new EtherwsError('CERTIFICATE_INVALID', message, details);
}

/** OpenSSL's own words, where there are any. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
  return codeOf(error) || (error instanceof Error ? error.message : String(error));
}
