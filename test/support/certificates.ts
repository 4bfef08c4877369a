import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.ts';

/** A certificate authority for a test, made by the openssl tool. */
export interface Authority {
  /** PEM file of its certificate, for `--cacerts` and `--ctlsslcert`. */
  readonly certificate: string;
  /**
   * Issues a server certificate for these names and addresses.
   * @returns paths of the PEM files
   */
  issue(name: string, alternativeNames: readonly string[]): Promise<{ key: string; certificate: string }>;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

export async function createAuthority(directory: string, name = 'etherws test CA'): Promise<Authority> {
  const stem = join(directory, `ca-${name.replaceAll(/\W/g, '-')}`);
  const [key, certificate] = [`${stem}.key`, `${stem}.crt`];
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  await openssl([
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    key,
    '-out',
    certificate,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
    ...usage,
  ]);

  async function issue(
    host: string,
    alternativeNames: readonly string[],
  ): Promise<{ key: string; certificate: string }> {
    const server = { key: join(directory, `${host}.key`), certificate: join(directory, `${host}.crt`) };
    const [request, extensions] = [join(directory, `${host}.csr`), join(directory, `${host}.ext`)];
    const names = alternativeNames.map((value) => (/^[\d.]+$|:/.test(value) ? `IP:${value}` : `DNS:${value}`));
    writeFileSync(extensions, `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`);
    await openssl(['req', ...NEW_KEY, '-keyout', server.key, '-out', request, '-subj', `/CN=${host}`]);
    const signer = ['-CA', certificate, '-CAkey', key, '-CAcreateserial'];
    await openssl([
      'x509',
      '-req',
      '-in',
      request,
      ...signer,
      '-out',
      server.certificate,
      '-days',
      '2',
      '-extfile',
      extensions,
    ]);
    return server;
  }
  return { certificate, issue };
}

async function openssl(args: readonly string[]): Promise<void> {
  const { status, stderr } = await run(['openssl', ...args]);
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
}
