import { readPasswordFile } from '../auth/password-file.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import { EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { check } from '../schema/check.ts';
import { portSpec } from '../schema/port-spec.ts';

/**
 * The same port with the secrets of its files among its options.
 * @throws EtherwsError FILE_UNREADABLE, or as the check of a port; with the place of the port
 */
export async function withSecrets(port: WantedPort, logger: Logger): Promise<WantedPort> {
  const { spec, secretFiles, place } = port;
  const warn = (warning: string): void => logger.warn({}, warning);
  try {
    const secrets: Record<string, string> = {};
    for (const [key, file] of Object.entries(secretFiles)) secrets[key] = await readPasswordFile(file, warn);
    if (Object.keys(secrets).length === 0) return port;
    return { ...port, spec: check(portSpec, { ...spec, options: { ...spec.options, ...secrets } }) };
  } catch (error) {
    if (!(error instanceof EtherwsError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new EtherwsError(error.code, `${place}: ${error.message}`, { cause: error, ...hint });
  }
}
