import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import bcrypt from 'bcryptjs';
import { FILES, RELAY_NAME, USER } from './commands.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/**
 * Writes the files that the README makes with openssl and htpasswd, without those tools:
 * the key and the certificate of the relay, and its htpasswd file.
 */
export async function writeCredentials(directory: string, password: string): Promise<void> {
  const { key, certificate } = await selfSigned(RELAY_NAME);
  writeFileSync(join(directory, FILES.key), key, { mode: 0o600 });
  writeFileSync(join(directory, FILES.certificate), certificate);
  writeFileSync(join(directory, FILES.htpasswd), `${USER}:${await bcrypt.hash(password, 5)}\n`);
}

/** A self-signed certificate for this name, with an ECDSA key on P-256, valid for one day. */
export async function selfSigned(name: string): Promise<{ key: string; certificate: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const lines = pkcs8.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
    certificate: certificate.toString('pem'),
  };
}
