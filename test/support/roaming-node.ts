import { createServer } from 'node:http';
import type { Authenticator } from '../../src/auth/authenticator.ts';
import type { BridgePort } from '../../src/bridge/bridge-port.ts';
import type { ClusterStore } from '../../src/cluster/cluster-store.ts';
import type { SessionNodes } from '../../src/cluster/session-nodes.ts';
import type { IngressPolicies } from '../../src/daemon/ingress-policies.ts';
import type { AttachTunnel } from '../../src/daemon/kept-tunnels.ts';
import { Roaming } from '../../src/daemon/roaming.ts';
import { Switch } from '../../src/networks/switch.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { TunnelServer } from '../../src/ports/tunnel/accept/accept-tunnel.ts';
import type { TunnelFacts, TunnelServerOptions } from '../../src/ports/tunnel/accept/server-options.ts';
import { listen, stop } from './web-socket-peer.ts';

/** Believes what a client says its user is; without credentials the user is null. */
export const BELIEVING: Authenticator = {
  challenge: 'Basic realm=etherws',
  authenticate: ({ authorization }) =>
    Promise.resolve({ isAllowed: true, user: authorization === undefined ? null : userOf(authorization) }),
  close: () => Promise.resolve(),
};

function userOf(authorization: string): string {
  const [scheme, value = ''] = authorization.split(' ');
  return scheme === 'Basic' ? (Buffer.from(value, 'base64').toString().split(':')[0] ?? '') : value;
}

/** The membership of a cluster as a test sets it. */
export class TestNodes {
  readonly alive = new Set<string>();
  readonly #listeners = new Set<() => void>();

  set(...names: string[]): void {
    this.alive.clear();
    for (const name of names) this.alive.add(name);
    for (const listener of this.#listeners) listener();
  }

  of(self: string): SessionNodes {
    const { alive } = this;
    return {
      self,
      isAlive: (node) => node === self || alive.has(node),
      get lowest() {
        return [...alive, self].sort()[0] ?? self;
      },
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }
}

export interface RoamingNodeOptions extends Partial<TunnelServerOptions> {
  readonly onUser?: (user: string | null) => void;
  readonly policy?: IngressPolicies;
}

/** A node of a cluster in this process: a switch, its tunnel server, and the sessions; without mesh ports. */
export class RoamingNode {
  readonly etherSwitch = new Switch();
  readonly server: TunnelServer;
  readonly roaming: Roaming;
  readonly http = createServer();
  url = '';

  constructor(store: ClusterStore, nodes: SessionNodes, options: RoamingNodeOptions = {}) {
    const { onUser = () => undefined, graceMs = 30_000, policy, ...rest } = options;
    const attach: AttachTunnel = (port, user, facts, more = {}) =>
      this.etherSwitch.attach(port, {
        ...more,
        network: facts.network,
        user,
        attached: (bridgePort: BridgePort) => {
          policy?.apply(bridgePort, user, facts.network);
          this.roaming.attached(bridgePort, user, facts);
        },
        dropped: (bridgePort: BridgePort) => {
          policy?.forget(bridgePort);
          this.roaming.dropped(bridgePort);
        },
      });
    const { etherSwitch } = this;
    this.roaming = new Roaming({ store, nodes, etherSwitch, attach, onUser, graceMs: () => graceMs, logger: SILENT });
    this.server = new TunnelServer({
      path: '/',
      authenticator: BELIEVING,
      graceMs,
      onTunnel: (port, user, facts: TunnelFacts) => void attach(port, user, facts),
      elsewhere: this.roaming,
      ...rest,
    });
    if (policy !== undefined) policy.onClaimed = (bridgePort) => this.roaming.changed(bridgePort);
    this.roaming.serve(this.server);
    this.http.on('request', (request, response) => this.server.handleRequest(request, response));
    this.http.on('upgrade', (request, socket, head) => this.server.handleUpgrade(request, socket, head));
  }

  async start(): Promise<void> {
    this.url = `ws://127.0.0.1:${await listen(this.http)}/`;
  }

  /** Ends as by SIGKILL: connections are cut, and nothing is written. */
  async kill(): Promise<void> {
    this.roaming.stop();
    this.server.close();
    await stop(this.http);
    for (const { port } of this.etherSwitch.ports.values()) void port.close();
    await this.etherSwitch.close();
  }
}
