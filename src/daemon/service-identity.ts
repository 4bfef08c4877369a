import type { TlsOptions } from 'node:tls';
import type { PemReader } from '../auth/certificate-file.ts';
import { ClientAuthorities } from '../auth/client-authorities.ts';
import { type ClientTrust, readClientTrust } from '../auth/client-certificate.ts';
import { publicKeyPin } from '../auth/public-key-pin.ts';
import { loadServerIdentity, type ServerIdentity } from '../auth/tls.ts';
import type { Logger } from '../observability/logger.ts';

/** The files of a service's private key, its certificate, and the authorities of its clients. */
export interface IdentityFiles {
  readonly keyFile: string;
  readonly certFile: string;
  readonly clientCaFile: string | undefined;
  /** default: from the file system */
  readonly read?: PemReader | undefined;
}

/** A service's private key and certificate, and the authorities of its clients, as last read from the files. */
export class ServiceIdentity {
  readonly #files: IdentityFiles;
  readonly #logger: Logger;
  #identity: ServerIdentity;
  #clients: ClientTrust | undefined;

  private constructor(
    files: IdentityFiles,
    logger: Logger,
    identity: ServerIdentity,
    clients: ClientTrust | undefined,
  ) {
    this.#files = files;
    this.#logger = logger;
    this.#identity = identity;
    this.#clients = clients;
  }

  /** @throws EtherwsError FILE_UNREADABLE, CERTIFICATE_INVALID */
  static async read(files: IdentityFiles, logger: Logger): Promise<ServiceIdentity> {
    return new ServiceIdentity(files, logger, ...(await readAll(files, logger)));
  }

  /** Options of a TLS server. */
  get options(): TlsOptions {
    return { ...this.#identity.options, ...this.#clients?.options };
  }

  /** The names of the certificate (certificateNames). */
  get names(): readonly string[] {
    return this.#identity.names;
  }

  /** The pin of the certificate's public key. */
  get pin(): string {
    return publicKeyPin(this.#identity.certificate);
  }

  /** When the certificate expires, in milliseconds since 1970. */
  get notAfterMs(): number {
    return Date.parse(this.#identity.certificate.validTo);
  }

  /** The time of the certificate, as of X509Certificate. */
  get validity(): { readonly validFrom: string; readonly validTo: string } {
    return this.#identity.certificate;
  }

  /** The certificate authorities of clients. */
  get authorities(): ClientAuthorities {
    return this.#clients?.authorities ?? NO_AUTHORITIES;
  }

  /** Reads all files again. @throws as `read`; then the former contents of all files stay in force */
  async refresh(): Promise<void> {
    [this.#identity, this.#clients] = await readAll(this.#files, this.#logger);
  }
}

const NO_AUTHORITIES = new ClientAuthorities([]);

async function readAll(
  { keyFile, certFile, clientCaFile, read }: IdentityFiles,
  logger: Logger,
): Promise<[ServerIdentity, ClientTrust | undefined]> {
  const identity = await loadServerIdentity(keyFile, certFile, logger, read);
  const clients = clientCaFile === undefined ? undefined : await readClientTrust(clientCaFile, read);
  for (const warning of clients?.authorities.warnings() ?? []) {
    logger.warn({ clientCaFile }, `${clientCaFile}: ${warning}`);
  }
  return [identity, clients];
}
