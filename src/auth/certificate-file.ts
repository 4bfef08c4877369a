import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { codeOf, EtherwsError } from '../errors.ts';
import { readUserFile, type UserFile } from '../runtime/user-file.ts';
import { foreignFormat, type PemContent } from './foreign-format.ts';

const MAX_PEM_BYTES: number = 4 * 1024 * 1024;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates of a file in its order, at least one. */
export type CertificateChain = readonly [X509Certificate, ...X509Certificate[]];

/** Reads a file with PEM. */
export type PemReader = (
  path: string,
  wanted: PemContent,
) => Promise<Pick<UserFile, 'text'> & { readonly stats?: UserFile['stats'] }>;

/**
 * Reads a PEM file.
 * @throws EtherwsError FILE_UNREADABLE; CERTIFICATE_INVALID for another known format, with the command that converts it
 */
export async function readPemFile(path: string, wanted: PemContent): Promise<UserFile> {
  const file = await readUserFile(path, MAX_PEM_BYTES);
  const format = foreignFormat(path, file.octets, wanted);
  if (format === undefined) return file;
  throw invalidCertificate(`${path} is ${format.name}, and PEM is wanted`, { hint: format.hint });
}

/**
 * Reads a PEM file with one or more certificates to trust.
 * @returns the certificates in PEM, without any other contents of the file, for `trusting`
 * @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID
 */
export async function readCaCerts(path: string): Promise<string> {
  const { text } = await readPemFile(path, 'certificate');
  return readCertificates(path, text)
    .map((certificate) => certificate.toString())
    .join('');
}

/**
 * TLS options by which exactly these certificates are trusted, each of which may be a root, an intermediate authority
 * without its root, or the certificate of the peer itself (X509_V_FLAG_PARTIAL_CHAIN).
 * @param ca the result of readCaCerts
 */
export function trusting<T extends NonNullable<SecureContextOptions['ca']>>(
  ca: T,
): { readonly ca: T; readonly allowPartialTrustChain: true } {
  return { ca, allowPartialTrustChain: true };
}

/** @throws EtherwsError CERTIFICATE_INVALID if `text` has no certificate in PEM, or a damaged one */
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

/** The reason that OpenSSL gives, or else the code or message of the error. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
  return codeOf(error) || (error instanceof Error ? error.message : String(error));
}
