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
  /** The devices that are ports of the switch; default: no check against them. */
  readonly devices?: DeviceRegister;
  /** The wire of client ports that do not name one; default `auto`. */
  readonly wire?: WireChoice;
  /** The TCP congestion control of client ports' tunnels; default `auto`. */
  readonly congestion?: CongestionChoice;
  /** Identifies the dialling switch to servers; default: not sent. */
  readonly instance?: SwitchInstance;
  /** The environment with HTTPS_PROXY, NO_PROXY and the like; default: empty. */
  readonly environment?: Environment;
  /** aborts the first dial; the promise then rejects with the signal's reason */
  readonly signal?: AbortSignal;
}

type Kind = PortSpec['type'];

/** Opens a port of one kind. Its options are described in src/schema/port-spec.ts. */
type Open<K extends Kind> = (spec: Extract<PortSpec, { type: K }>, context: PortContext) => Promise<Port & Described>;

/** The kinds of ports that can be added. A new kind needs a folder, a row here and a row in PORT_SPECS. */
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
 * @throws EtherwsError when it cannot be opened; all changes are undone then
 */
export async function createPort<K extends Kind>(
  spec: Extract<PortSpec, { type: K }>,
  context: PortContext,
): Promise<Port & Described> {
  return (KINDS[spec.type as K] as Open<K>)(spec, context);
}

/** Watches the host's network. Without the addon there are no events, and ports redial only by their timers. */
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
