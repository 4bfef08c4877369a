import type { Port } from '../bridge/port.ts';
import type { Logger } from '../observability/logger.ts';
import type { PortSpec } from '../schema/port-spec.ts';
import type { DeviceRegister } from './device/device-register.ts';
import { linkMonitor } from './device/link-monitor.ts';
import { NetdevPort } from './device/netdev-port.ts';
import { TapPort } from './device/tap-port.ts';
import type { CongestionChoice } from './stream/congestion-control.ts';
import type { WireChoice } from './stream/packing.ts';
import { openClient } from './tunnel/dial/open-client.ts';
import type { Environment } from './tunnel/proxy/proxy-environment.ts';
import type { SwitchInstance } from './tunnel/switch-instance.ts';

export interface PortContext {
  readonly logger: Logger;
  /** Which devices are ports of the switch already; default: nothing is known of them. */
  readonly devices?: DeviceRegister;
  /** What client ports speak that do not say it themselves; default `auto`. */
  readonly wire?: WireChoice;
  /** How TCP answers congestion on the tunnels of client ports; default `auto`. */
  readonly congestion?: CongestionChoice;
  /** Which switch dials; default: not said. */
  readonly instance?: SwitchInstance;
  /** Where HTTPS_PROXY and the like are looked for; default: nowhere. */
  readonly environment?: Environment;
  /** ends a dialling that the port waits for; the promise then rejects with its reason */
  readonly signal?: AbortSignal;
}

/**
 * Makes a port of any kind, ready to be attached.
 * @throws EtherwsError when it cannot be had; nothing is left behind then
 */
export async function createPort(request: PortSpec, context: PortContext): Promise<Port> {
  const { logger, devices: register, wire, congestion, instance, environment = {}, signal } = context;
  switch (request.type) {
    case 'tap':
      return TapPort.open(request.target, {
        logger,
        register,
        netns: request.options?.netns,
        mac: request.options?.mac,
      });
    case 'netdev':
      return NetdevPort.open(request.target, { logger, register });
    case 'client':
      return openClient(
        request.target,
        { ...(wire === undefined ? {} : { wire }), ...request.options },
        {
          logger,
          congestion,
          ...(instance === undefined ? {} : { instance }),
          environment,
          watchNetwork: watchNetwork(logger),
          ...(signal === undefined ? {} : { signal }),
        },
      );
  }
}

/** News of the host's network, where the addon is there to bring them; without, ports that dial just wait longer. */
function watchNetwork(logger: Logger): (listener: () => void) => () => Promise<void> {
  return (listener) => {
    try {
      return linkMonitor.watchNetwork(listener);
    } catch (error) {
      logger.debug({ error }, 'no news of the network');
      return () => Promise.resolve();
    }
  };
}
