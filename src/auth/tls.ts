import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { TLS_PARAMETERS } from '../net/tls-parameters.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { isWorldReadable } from '../runtime/user-file.ts';
import {
  type CertificateChain,
  invalidCertificate,
  type PemReader,
  readCertificates,
  readPemFile,
  reasonOf,
} from './certificate-file.ts';
import { certificateNames } from './certificate-names.ts';

/** The private key and the certificate chain of a server. */
export interface ServerIdentity {
  /** options of `https.createServer` and `tls.Server.setSecureContext` */
  readonly options: Pick<SecureContextOptions, 'key' | 'cert' | 'minVersion' | 'ciphers'>;
  /** the server's own certificate, the first of the file */
  readonly certificate: X509Certificate;
  /** see certificateNames */
  readonly names: readonly string[];
}

/**
 * Loads the files of `--sslkey` and `--sslcert`: a PEM key without passphrase, and
 * its certificate, followed by intermediate certificates. Problems with which the
 * service can still start, such as an expired certificate, are logged as warnings.
 * @throws EtherwsError FILE_UNREADABLE; CERTIFICATE_INVALID for a file with other contents, and for a
 *   key that does not match the certificate
 */
export async function loadServerIdentity(
  keyFile: string,
  certFile: string,
  logger: Logger = SILENT,
  read: PemReader = readPemFile,
): Promise<ServerIdentity> {
  const keySource = await read(keyFile, 'key');
  const { text: cert } = await read(certFile, 'certificate');
  const key = readKey(keyFile, keySource.text);
  const chain = readCertificates(certFile, cert);
  const [certificate] = chain;
  requireMatch(key, keyFile, chain, certFile);
  const options = { key: keySource.text, cert, ...TLS_PARAMETERS };
  try {
    createSecureContext(options);
  } catch (error) {
    throw invalidCertificate(`OpenSSL does not take ${keyFile} with ${certFile} (${reasonOf(error)})`, {
      cause: error,
      hint: 'Make a key of at least 2048 bits (RSA) or 256 bits (EC), and a certificate signed with SHA-2',
    });
  }
  if (keySource.stats !== undefined && isWorldReadable(keySource.stats)) {
    logger.warn({ keyFile }, `Every user of this host may read the key ${keyFile}: chmod o-r ${keyFile}`);
  }
  for (const warning of chainWarnings(chain, Date.now())) logger.warn({ certFile }, `${certFile}: ${warning}`);
  return { options, certificate, names: certificateNames(certificate) };
}

/** Warnings about certificates that are used nevertheless. @param nowMs milliseconds since 1970 */
export function chainWarnings(chain: readonly X509Certificate[], nowMs: number): string[] {
  const warnings: string[] = [];
  for (const [index, certificate] of chain.entries()) {
    const which = index === 0 ? 'the certificate' : `certificate ${index + 1}`;
    if (nowMs > Date.parse(certificate.validTo)) warnings.push(`${which} expired at ${certificate.validTo}`);
    if (nowMs < Date.parse(certificate.validFrom))
      warnings.push(`${which} is not valid before ${certificate.validFrom}`);
    const next = chain[index + 1];
    if (next !== undefined && !certificate.checkIssued(next)) {
      warnings.push(`certificate ${index + 2} is not the issuer of the one before it; clients may not find the chain`);
    }
  }
  return warnings;
}

function readKey(path: string, text: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw invalidCertificate(`The key ${path} is protected by a passphrase`, {
      hint: `The switch starts without a terminal to ask for it; remove it with: openssl pkey -in ${path} -out NEWFILE`,
    });
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    const isCertificate = text.includes('-----BEGIN CERTIFICATE-----');
    throw invalidCertificate(`${path} holds no private key in PEM form (${reasonOf(error)})`, {
      cause: error,
      hint: isCertificate
        ? 'It holds a certificate: were the key and the certificate exchanged?'
        : 'A PEM key begins with -----BEGIN PRIVATE KEY-----',
    });
  }
}

function requireMatch(key: KeyObject, keyFile: string, chain: CertificateChain, certFile: string): void {
  const index = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (index === 0) return;
  throw invalidCertificate(`The key ${keyFile} does not belong to the certificate ${certFile}`, {
    hint:
      index > 0
        ? `It belongs to certificate ${index + 1} of that file: put that one first`
        : 'Give the key with which the certificate was requested',
  });
}
