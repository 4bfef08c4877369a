import type { SessionNodes } from '../cluster/session-nodes.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import type { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import type { ClusterService } from './cluster-service.ts';
import { Draining } from './draining.ts';
import type { IngressPolicies } from './ingress-policies.ts';
import type { AttachTunnel } from './kept-tunnels.ts';
import type { Lifetime } from './lifetime.ts';
import { OtherNodes } from './other-nodes.ts';
import { Roaming } from './roaming.ts';

export interface RoamingParts {
  readonly cluster: ClusterService;
  readonly redirects: boolean;
  readonly server: TunnelServer;
  readonly etherSwitch: Switch;
  readonly attach: AttachTunnel;
  readonly policy: IngressPolicies | undefined;
  readonly graceMs: () => number;
  readonly onDraining: (isDraining: boolean) => void;
  readonly lifetime: Lifetime;
  readonly logger: Logger;
}

/** Lets the clients of a node roam, and hands them over when it is drained. */
export function openRoaming(parts: RoamingParts): { readonly roaming: Roaming; readonly draining: Draining } {
  const { cluster, redirects, server, etherSwitch, attach, policy, graceMs, onDraining, lifetime, logger } = parts;
  const roaming = new Roaming({
    store: cluster.store,
    nodes: nodesOf(cluster),
    ...{ etherSwitch, attach, graceMs, logger },
    onUser: (user) => policy?.shareChanged(user),
  });
  const draining = new Draining({
    ...{ cluster, roaming, redirects, logger },
    tunnels: () => server.connections,
    onChange: onDraining,
  });
  if (policy !== undefined) {
    policy.elsewhere = (user) => roaming.tunnelsOf(user);
    policy.onClaimed = (port) => roaming.changed(port);
  }
  const others = redirects ? new OtherNodes(cluster, () => server.nodesChanged()) : undefined;
  server.join({
    elsewhere: roaming,
    divert: (newcomer) => draining.divert(newcomer),
    ...(others && { nodesFor: (asked) => others.urlsFor(asked) }),
  });
  lifetime.onClose(() => others?.close());
  roaming.serve(server);
  lifetime.onClose(() => roaming.close());
  return { roaming, draining };
}

function nodesOf(cluster: ClusterService): SessionNodes {
  return {
    self: cluster.node,
    isAlive: (node) => cluster.isAlive(node),
    get lowest() {
      return cluster.nodes()[0] ?? cluster.node;
    },
    onChange: (listener) => cluster.onChange(listener),
  };
}
