import { readCertificates, readPemFile } from '../auth/certificate-file.ts';
import { EtherwsError } from '../errors.ts';
import { type Finding, fail, ok, validityOf } from '../runtime/finding.ts';
import { loadConfig } from './sw.ts';

/** `etherws doctor --config`: checks the file and its certificates. */
export async function examineConfiguration(file: string): Promise<Finding[]> {
  try {
    const { tunnels, control, ports } = await loadConfig(file);
    const findings = [ok('configuration', `${file} is valid; it has ${ports.length} ports`)];
    for (const [service, { tls }] of Object.entries({ tunnels, control })) {
      if (tls === undefined) continue;
      findings.push(await examineCertificate(`${service} TLS`, tls.certFile));
    }
    return findings;
  } catch (error) {
    if (!(error instanceof EtherwsError)) throw error;
    // The hint of CONFIG_INVALID has all errors of the file, one a line.
    const [first] = (error.hint ?? '').split('\n');
    return [fail('configuration', error.code === 'CONFIG_INVALID' ? first : error, `See etherws check ${file}`)];
  }
}

async function examineCertificate(check: string, file: string): Promise<Finding> {
  try {
    const [certificate] = readCertificates(file, (await readPemFile(file, 'certificate')).text);
    return validityOf(check, file, certificate, Date.now());
  } catch (error) {
    return fail(check, error);
  }
}
