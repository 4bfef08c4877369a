import type { Port } from '../bridge/port.ts';
import type { Described } from '../bridge/port-details.ts';
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

type Kind = PortSpec['type'];

/** Opens a port of one kind. The rows of its options are in src/schema/port-spec.ts. */
type Open<K extends Kind> = (spec: Extract<PortSpec, { type: K }>, context: PortContext) => Promise<Port & Described>;

/** Every kind of port that can be added. A new kind is a folder, a row here and a row in PORT_SPECS. */
const KINDS: { readonly [K in Kind]: Open<K> } = {
  tap: ({ target, options }, { logger, devices }) =>
    TapPort.open(target, { logger, register: devices, netns: options?.netns, mac: options?.mac }),
  netdev: ({ target }, { logger, devices }) => NetdevPort.open(target, { logger, register: devices }),
  client: ({ target, options }, { logger, wire, congestion, instance, environment = {}, signal }) =>
    openClient(
      target,
      { ...(wire === undefined ? {} : { wire }), ...options },
      {
        logger,
        congestion,
        ...(instance === undefined ? {} : { instance }),
        environment,
        watchNetwork: watchNetwork(logger),
        ...(signal === undefined ? {} : { signal }),
      },
    ),
};

/**
 * Makes a port of any kind, ready to be attached.
 * @throws EtherwsError when it cannot be opened; nothing is left behind then
 */
export async function createPort<K extends Kind>(
  spec: Extract<PortSpec, { type: K }>,
  context: PortContext,
): Promise<Port & Described> {
  return (KINDS[spec.type as K] as Open<K>)(spec, context);
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
