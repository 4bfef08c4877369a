import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and a certificate as PEM files, made by the openssl tool, an independent oracle. */
export interface CertificateFiles {
  readonly keyFile: string;
  readonly certFile: string;
}

export interface CertificateRequest {
  /** file name without extension; without `subject` also the common name */
  readonly name: string;
  readonly subject?: string;
  /** in the form of openssl: `DNS:localhost,IP:127.0.0.1` */
  readonly subjectAltName?: string;
  /** the issuer; self-signed without one */
  readonly issuer?: CertificateFiles;
  readonly isAuthority?: boolean;
  /** negative for an expired certificate */
  readonly days?: number;
  /** The expiry, in whole seconds since 1970; has precedence over `days`, and needs an issuer. */
  readonly untilSeconds?: number;
}

/** A directory of test certificates, which `remove` deletes. */
export class CertificateMaker {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'etherws-auth-'));

  make(request: CertificateRequest): CertificateFiles {
    const keyFile = this.path(`${request.name}.key`);
    const certFile = this.path(`${request.name}.crt`);
    const requestFile = this.path(`${request.name}.csr`);
    const extensions = [
      request.isAuthority === true ? 'basicConstraints=critical,CA:TRUE' : 'basicConstraints=CA:FALSE',
    ];
    if (request.subjectAltName !== undefined) extensions.push(`subjectAltName=${request.subjectAltName}`);
    const subject = request.subject ?? `/CN=${request.name}`;
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    openssl(['req', '-new', ...newKey, '-subj', subject, '-out', requestFile]);
    const extensionFile = this.path(`${request.name}.ext`);
    writeFileSync(extensionFile, `${extensions.join('\n')}\n`);
    const { issuer, untilSeconds } = request;
    if (issuer !== undefined && untilSeconds !== undefined) {
      this.#signUntil(untilSeconds, issuer, { requestFile, extensionFile, certFile });
      return { keyFile, certFile };
    }
    const signer = issuer ? ['-CA', issuer.certFile, '-CAkey', issuer.keyFile] : ['-signkey', keyFile];
    const days = String(request.days ?? 30);
    const output = ['-extfile', extensionFile, '-out', certFile];
    openssl(['x509', '-req', '-in', requestFile, ...signer, '-days', days, ...output]);
    return { keyFile, certFile };
  }

  /** Signs by `openssl ca`, the only subcommand that accepts a time of day. */
  #signUntil(
    untilSeconds: number,
    issuer: CertificateFiles,
    { requestFile, extensionFile, certFile }: Record<'requestFile' | 'extensionFile' | 'certFile', string>,
  ): void {
    const [config, database] = [this.path('ca.conf'), this.path('ca.index')];
    const lines = [
      `database=${database}`,
      `new_certs_dir=${this.directory}`,
      'default_md=sha256',
      'policy=any',
      'rand_serial=yes',
    ];
    writeFileSync(config, `[ca]\ndefault_ca=it\n[it]\n${lines.join('\n')}\n[any]\ncommonName=supplied\n`);
    writeFileSync(database, '');
    const end = `${new Date(untilSeconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`;
    const signer = ['-cert', issuer.certFile, '-keyfile', issuer.keyFile, '-enddate', end];
    const output = ['-extfile', extensionFile, '-out', certFile];
    openssl(['ca', '-batch', '-notext', '-config', config, '-in', requestFile, ...signer, ...output]);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** @returns its standard output */
export function openssl(argv: readonly string[], input = ''): string {
  return execFileSync('openssl', argv, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
}
