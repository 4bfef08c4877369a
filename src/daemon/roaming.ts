import { randomBytes } from 'node:crypto';
import type { BridgePort, PortNumber } from '../bridge/bridge-port.ts';
import type { Port } from '../bridge/port.ts';
import type { ClusterStore } from '../cluster/cluster-store.ts';
import type { SessionNodes } from '../cluster/session-nodes.ts';
import { networkOf, type SessionRecord } from '../cluster/session-row.ts';
import { Sessions } from '../cluster/sessions.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import type { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import type { TunnelFacts, TunnelsElsewhere } from '../ports/tunnel/accept/server-options.ts';
import { closeAll } from '../runtime/close-all.ts';
import type { AttachTunnel } from './kept-tunnels.ts';
import { bindingsAt, restoreBindings } from './roaming-bindings.ts';
import { bringClaims, claimsAt } from './roaming-claims.ts';

export interface RoamingOptions {
  readonly store: ClusterStore;
  readonly nodes: SessionNodes;
  readonly etherSwitch: Switch;
  readonly attach: AttachTunnel;
  readonly graceMs: () => number;
  /** Called when the number of a user's tunnels at other nodes may have changed. */
  readonly onUser: (user: string | null) => void;
  readonly logger: Logger;
}

/** An accepted tunnel that is a port of this node. */
interface Tunnel {
  readonly id: string;
  readonly port: Port;
  readonly user: string | null;
  readonly facts: TunnelFacts;
}

/**
 * Lets clients of this node come back to other nodes, and those of other nodes to this one: it keeps the sessions of the cluster
 * in step with the ports of accepted tunnels.
 */
export class Roaming implements TunnelsElsewhere {
  readonly #options: RoamingOptions;
  readonly #sessions: Sessions;
  readonly #tunnels = new Map<BridgePort, Tunnel>();
  readonly #ids = new WeakMap<Port, string>();
  #server: TunnelServer | undefined;

  constructor(options: RoamingOptions) {
    this.#options = options;
    const { store, nodes, graceMs, onUser, logger, etherSwitch } = options;
    this.#sessions = new Sessions({ store, nodes, graceMs, onUser, logger });
    etherSwitch.onChanged = (port) => this.changed(port);
  }

  /** To be called with the server whose `elsewhere` this is, before it accepts anything. */
  serve(server: TunnelServer): void {
    this.#server = server;
    server.kept.follow((port) => {
      const id = this.#ids.get(port);
      if (id !== undefined) this.#sessions.changed(id);
    });
  }

  /** Tells the key of a tunnel's session before its port is attached. */
  know(port: Port, id: string): void {
    this.#ids.set(port, id);
  }

  /** Whether another node has the session, as far as this node knows. */
  isElsewhere(id: string): boolean {
    return this.#sessions.isElsewhere(id);
  }

  idOf(port: Port): string {
    const known = this.#ids.get(port);
    if (known !== undefined) return known;
    const id = randomBytes(16).toString('base64url');
    this.#ids.set(port, id);
    return id;
  }

  /** To be called when an accepted tunnel has become a port. */
  attached(bridgePort: BridgePort, user: string | null, facts: TunnelFacts): void {
    const { port } = bridgePort;
    const tunnel: Tunnel = { id: this.idOf(port), port, user, facts };
    this.#tunnels.set(bridgePort, tunnel);
    this.#sessions.enter(tunnel.id, {
      record: () => this.#recordOf(bridgePort, tunnel),
      lost: (reason) => this.#lose(bridgePort, reason),
    });
  }

  /** To be called when what a session says of the port may have changed. */
  changed(bridgePort: BridgePort): void {
    const tunnel = this.#tunnels.get(bridgePort);
    if (tunnel !== undefined) this.#sessions.changed(tunnel.id);
  }

  /** To be called when the port was removed. */
  dropped(bridgePort: BridgePort): void {
    const tunnel = this.#tunnels.get(bridgePort);
    if (tunnel === undefined) return;
    this.#tunnels.delete(bridgePort);
    this.#sessions.leave(tunnel.id);
  }

  // TunnelsElsewhere.

  knows(hash: string): boolean {
    return this.#sessions.knows(hash);
  }

  tunnelsOf(user: string | null): number {
    return this.#sessions.tunnelsElsewhere(user);
  }

  displace(user: string): boolean {
    return this.#sessions.displace(user);
  }

  recall(hash: string, user: string | null, network: string): void {
    const { attach, etherSwitch, logger } = this.#options;
    const found = this.#sessions.find(hash, user, network);
    const latest = found?.row.latest;
    if (found === undefined || latest === undefined) return;
    const { id, row } = found;
    const {
      name,
      description,
      shut,
      settings: values = {},
      target,
      address,
      presented,
      bindings = [],
      claims = [],
      node,
    } = row;
    const port = this.#server?.kept.restore({ user, network, target, address, latest, presented });
    if (port === undefined) return;
    this.know(port, id);
    try {
      const labels = { name: this.#isFree(name) ? name : undefined, description };
      const number = attach(port, user, { network: networkOf(row), address }, { values, ...given(labels) });
      if (shut) etherSwitch.administration.setShut(number, true);
      const { bridgePort, network: joined } = etherSwitch.attachedPort(number);
      restoreBindings(joined.bridge.sourceGuard, number, bindings);
      bringClaims(bridgePort, claims, node);
      logger.info({ port: number, user, from: node }, 'a client came from another node');
    } catch (error) {
      logger.warn({ user, from: node, error }, 'the port of a client of another node could not be made');
      void port.close('shutdown');
    }
  }

  /** The numbers of the ports of accepted tunnels. */
  get numbers(): readonly PortNumber[] {
    return [...this.#tunnels.keys()].map(({ number }) => number);
  }

  /** Closes the port of a tunnel so that its client dials again at once; its session waits for it at the other nodes. */
  async handOver(number: PortNumber): Promise<void> {
    const { etherSwitch } = this.#options;
    const bridgePort = etherSwitch.ports.get(number);
    const tunnel = bridgePort === undefined ? undefined : this.#tunnels.get(bridgePort);
    if (bridgePort === undefined || tunnel === undefined) return;
    this.#tunnels.delete(bridgePort);
    this.#sessions.release(tunnel.id);
    await etherSwitch.detach(number, 'restart');
  }

  /** Resolves when the sessions of this node are written, or cannot be written now. */
  flush(): Promise<void> {
    return this.#sessions.flush();
  }

  /** Writes a last time; to be called before the ports are closed, so that their sessions stay. */
  async close(): Promise<void> {
    await closeAll([() => this.#sessions.flush(), () => this.stop()]);
  }

  /** Writes nothing more. */
  stop(): void {
    this.#tunnels.clear();
    this.#sessions.close();
  }

  #isFree(name: string | undefined): boolean {
    try {
      this.#options.etherSwitch.requireFreeName(name);
      return true;
    } catch {
      return false;
    }
  }

  #recordOf(bridgePort: BridgePort, { port, user, facts }: Tunnel): SessionRecord | undefined {
    const { etherSwitch } = this.#options;
    if (etherSwitch.ports.get(bridgePort.number) !== bridgePort) return undefined;
    const { name, description, ownValues, network: joined } = etherSwitch.attachedPort(bridgePort.number);
    const bindings = bindingsAt(joined.bridge.sourceGuard, bridgePort.number);
    const claims = claimsAt(bridgePort);
    const { latest, presented } = this.#server?.kept.hashesOf(port) ?? {};
    return {
      shut: bridgePort.isShut,
      target: port.target,
      address: facts.address,
      network: facts.network,
      away: bridgePort.link === 'away',
      ...given({ name, description, latest, presented, user: user ?? undefined }),
      ...(bindings.length === 0 ? {} : { bindings }),
      ...(claims.length === 0 ? {} : { claims }),
      ...(Object.keys(ownValues).length === 0 ? {} : { settings: ownValues }),
    };
  }

  #lose(bridgePort: BridgePort, reason: 'taken' | 'displaced'): void {
    const { etherSwitch, logger } = this.#options;
    this.#tunnels.delete(bridgePort);
    const words = reason === 'taken' ? 'the client of a port is at another node now' : 'the place of a port was needed';
    logger.info({ port: bridgePort.number }, words);
    etherSwitch
      .detach(bridgePort.number)
      .catch((error: unknown) => logger.error({ error }, 'the port of a client could not be closed'));
  }
}

/** The entries that have a value. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
