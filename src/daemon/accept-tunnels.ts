import type { PortNumber } from '../bridge/bridge-port.ts';
import type { Port } from '../bridge/port.ts';
import type { SwConfig } from '../config/sw-config.ts';
import { AutoNetworks } from '../networks/auto-networks.ts';
import type { Logger } from '../observability/logger.ts';
import { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import { OriginRule } from '../ports/tunnel/accept/origin.ts';
import type { SwitchInstance } from '../ports/tunnel/switch-instance.ts';
import type { AttachTunnel } from './kept-tunnels.ts';
import type { Lifetime } from './lifetime.ts';
import { NetworkChooser } from './network-choice.ts';
import type { Services } from './services.ts';
import { type AttachParts, tunnelAttacher } from './tunnel-attacher.ts';
import { LIMITS_OF_TUNNELS, tunnelLimits } from './tunnel-limits.ts';

export interface AcceptParts extends AttachParts {
  readonly config: SwConfig;
  readonly lifetime: Lifetime;
  readonly service: Services['tunnels'];
  readonly instance: SwitchInstance;
  /** Called with the port of each tunnel that a client has dialled, and its number. */
  readonly accepted: (port: Port, number: PortNumber) => void;
  readonly logger: Logger;
}

/** What accepts tunnels, and what attaches a tunnel with the rights of its user, accepted or not. */
export interface AcceptedTunnels {
  readonly server: TunnelServer;
  readonly attach: AttachTunnel;
}

/** Accepts tunnels at the listener, once that listens, and attaches them to the switch. */
export function acceptTunnels(parts: AcceptParts): AcceptedTunnels {
  const { config, lifetime, etherSwitch, instance, policy, logger } = parts;
  const { listener, identity, authenticator, counters } = parts.service;
  const { wire, congestion, origins, limits, tunnels } = config;
  const autos = new AutoNetworks(etherSwitch, config.mostAutoNetworks);
  lifetime.live.on(['auto-net'], (changed) => autos.setMost(changed.mostAutoNetworks));
  const attach = tunnelAttacher(autos, parts);
  const networks = new NetworkChooser(etherSwitch, autos, (user) => policy?.networksOf(user));
  const server = new TunnelServer({
    path: tunnels.path,
    instance,
    authenticator,
    origins: new OriginRule({ allowed: origins, names: () => identity?.names ?? [] }),
    wire,
    congestion,
    chooseNetwork: (asked, applicant) => networks.choose(asked, applicant),
    onTunnel: (port, user, facts) => parts.accepted(port, attach(port, user, facts)),
    ...(policy === undefined ? {} : { allowanceOf: (user) => policy.allowanceOf(user) }),
    callerOf: (request) => listener.callerOf(request),
    limits: tunnelLimits(limits),
    ...(limits.graceMs === undefined ? {} : { graceMs: limits.graceMs }),
    counters,
    logger,
  });
  lifetime.live.on(LIMITS_OF_TUNNELS, (changed) =>
    server.setLimits(tunnelLimits(changed.limits), changed.limits.graceMs),
  );
  lifetime.onClose(() => server.close());
  listener.route(tunnels.path, server);
  listener.routeBelow(tunnels.path, server);
  return { server, attach };
}
