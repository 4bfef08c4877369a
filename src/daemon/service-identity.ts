import type { TlsOptions } from 'node:tls';
import { ClientAuthorities } from '../auth/client-authorities.ts';
import { type ClientTrust, readClientTrust } from '../auth/client-certificate.ts';
import { loadServerIdentity, type ServerIdentity } from '../auth/tls.ts';
import type { Logger } from '../observability/logger.ts';

/** Where a service has its key, its certificate, and the authorities that vouch for its clients. */
export interface IdentityFiles {
  readonly keyFile: string;
  readonly certFile: string;
  readonly clientCaFile: string | undefined;
}

/** A service's certificate and key, and the authorities of its clients, as last read from files. */
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

  /** For a TLS server. */
  get options(): TlsOptions {
    return { ...this.#identity.options, ...this.#clients?.options };
  }

  /** The names that the certificate vouches for (certificateNames). */
  get names(): readonly string[] {
    return this.#identity.names;
  }

  /** The authorities that verify clients. */
  get authorities(): ClientAuthorities {
    return this.#clients?.authorities ?? NO_AUTHORITIES;
  }

  /** Reads the files again. @throws as `read`; what was read before stays in force then, all of it */
  async refresh(): Promise<void> {
    [this.#identity, this.#clients] = await readAll(this.#files, this.#logger);
  }
}

const NO_AUTHORITIES = new ClientAuthorities([]);

async function readAll(
  { keyFile, certFile, clientCaFile }: IdentityFiles,
  logger: Logger,
): Promise<[ServerIdentity, ClientTrust | undefined]> {
  const identity = await loadServerIdentity(keyFile, certFile, logger);
  const clients = clientCaFile === undefined ? undefined : await readClientTrust(clientCaFile);
  for (const warning of clients?.authorities.warnings() ?? []) {
    logger.warn({ clientCaFile }, `${clientCaFile}: ${warning}`);
  }
  return [identity, clients];
}
