import { readPasswordFile } from '../auth/password-file.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { SwitchControl } from '../control/schema.ts';
import { describeError, EtherwsError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { check } from '../schema/check.ts';
import { portSpec } from '../schema/port-spec.ts';

/**
 * Opens the ports of a configuration file, in its order.
 * @throws EtherwsError of the first that cannot be opened, with its place in the file; those before it stay open
 */
export async function openConfiguredPorts(
  ports: readonly WantedPort[],
  control: SwitchControl,
  logger: Logger,
): Promise<void> {
  for (const port of ports) {
    try {
      await open(port, control, logger);
    } catch (error) {
      throw placed(port, error);
    }
  }
}

async function open(wanted: WantedPort, control: SwitchControl, logger: Logger): Promise<void> {
  const { port: number } = await control.addPort(await withSecrets(wanted, logger));
  const { shut, ...device } = wanted.settings;
  if (shut === true) control.setPort(number, { shut });
  if (Object.keys(device).length > 0) control.setInterface(number, device);
}

async function withSecrets({ spec, secretFiles }: WantedPort, logger: Logger): Promise<WantedPort['spec']> {
  const secrets: Record<string, string> = {};
  const warn = (warning: string): void => logger.warn({}, warning);
  for (const [key, file] of Object.entries(secretFiles)) secrets[key] = await readPasswordFile(file, warn);
  if (Object.keys(secrets).length === 0) return spec;
  return check(portSpec, { ...spec, options: { ...spec.options, ...secrets } });
}

function placed({ place }: WantedPort, error: unknown): EtherwsError {
  if (!(error instanceof EtherwsError)) return new EtherwsError('CONFIG_INVALID', `${place}: ${describeError(error)}`);
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new EtherwsError(error.code, `${place}: ${error.message}`, { cause: error, ...hint });
}
