import { join } from 'node:path';
import { run } from '../lab/command.ts';
import type { Lab } from '../lab/lab.ts';

/** The files of a self-signed certificate, which is also the authority to trust. */
export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
}

/** Makes a certificate for IP addresses by the openssl program: ECDSA P-256, valid for one day, in the lab's directory. */
export async function makeCertificate(lab: Lab, addresses: readonly string[]): Promise<CertificateFiles> {
  const files = { key: join(lab.directory, 'key.pem'), certificate: join(lab.directory, 'certificate.pem') };
  await run([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
    ...[
      '-subj',
      '/CN=etherws-bench',
      '-addext',
      `subjectAltName=${addresses.map((address) => `IP:${address}`).join(',')}`,
    ],
    ...['-keyout', files.key, '-out', files.certificate],
  ]);
  return files;
}
