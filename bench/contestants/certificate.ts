import { join } from 'node:path';
import { run } from '../lab/command.ts';
import type { Lab } from '../lab/lab.ts';

/** Files of a self-signed certificate; it is its own authority. */
export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
}

/** Makes one for these IP addresses in the lab's directory, with the openssl program. ECDSA P-256, valid for a day. */
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
