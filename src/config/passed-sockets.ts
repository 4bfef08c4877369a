import { EtherwsError } from '../errors.ts';
import type { SwConfig } from './sw-config.ts';

/** Descriptors of listening sockets, by service. */
export type PassedSockets = ReadonlyMap<'tunnels' | 'control' | 'control-socket', number>;

/**
 * The configuration with sockets of a service manager instead of the configured addresses.
 * @throws EtherwsError LISTEN_FAILED where a socket contradicts the configuration
 */
export function withPassedSockets(config: SwConfig, sockets: PassedSockets): SwConfig {
  if (sockets.size === 0) return config;
  const [tunnels, control, local] = (['tunnels', 'control', 'control-socket'] as const).map((name) =>
    sockets.get(name),
  );
  if (!config.isForeground)
    throw contradiction('a daemon in the background does not inherit them', 'Add --foreground to the unit');
  if (control !== undefined && !config.local.hasTcp)
    throw contradiction(
      'there is one named "control", but the control API is not to be served over TCP (--no-ctl-tcp)',
      'Name it control-socket and give its unit a path, or leave the option out',
    );
  if (control !== undefined && config.isShared)
    throw contradiction(
      'there is one named "control", but tunnels and control share host and port',
      'Leave it out, so that "tunnels" is for both; or give --ctlport another port',
    );
  return {
    ...config,
    tunnels: passedTo(config.tunnels, tunnels),
    // A shared listener is that of the tunnels.
    control: passedTo(config.control, config.isShared ? tunnels : control),
    local: { ...config.local, ...(local === undefined ? {} : { socketDescriptor: local }) },
  };
}

function passedTo<S extends object>(service: S, descriptor: number | undefined): S & { descriptor?: number } {
  return descriptor === undefined ? service : { ...service, descriptor };
}

function contradiction(what: string, hint: string): EtherwsError {
  return new EtherwsError('LISTEN_FAILED', `The sockets of the service manager do not fit the configuration: ${what}`, {
    hint,
  });
}
