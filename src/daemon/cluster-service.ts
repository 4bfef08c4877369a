import { randomBytes } from 'node:crypto';
import { AnnouncementTimer } from '../cluster/announcement-timer.ts';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import type { ClusterKeys } from '../cluster/cluster-key.ts';
import type { ClusterStore } from '../cluster/cluster-store.ts';
import { KnownClusterKey } from '../cluster/known-cluster-key.ts';
import { Membership, type MembershipChange } from '../cluster/membership.ts';
import { answerClaims, nodeTaken, requireFreeName } from '../cluster/name-claim.ts';
import { NameConflict } from '../cluster/name-conflict.ts';
import type { NodeAnnouncement, NodeFacts } from '../cluster/node-announcement.ts';
import { CLUSTER_PROTOCOL } from '../cluster/parse-announcement.ts';
import type { ClusterStatus } from '../control/cluster-status-entries.ts';
import type { EventKind } from '../events/event.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import type { CongestionChoice } from '../ports/stream/congestion-control.ts';
import { readVersion } from '../runtime/version.ts';
import { SWITCH_OPTIONS } from '../schema/sw-options.ts';
import { ClusterMesh, type MeshListener, otherProtocol } from './cluster-mesh.ts';
import { clusterStatus } from './cluster-status.ts';
import { ClusterTrees } from './cluster-trees.ts';
import type { Service } from './services.ts';

export interface ClusterParts {
  readonly config: Pick<ClusterConfig, 'name' | 'node' | 'cacertsFile'>;
  readonly store: ClusterStore;
  /** where the others reach the tunnels of this node, once its services listen; null: nowhere */
  readonly url: () => Promise<string | null>;
  /** the keys of the cluster; default: that of the store's table */
  readonly keys?: () => ClusterKeys;
  /** how many messages and values were refused for lack of the secret; default: there is none */
  readonly refused?: () => number;
  readonly etherSwitch: Switch;
  readonly tunnels: Pick<Service, 'counters'> & {
    readonly listener: MeshListener;
    readonly path: string;
  };
  readonly load: () => NodeAnnouncement['load'];
  /** the most mesh tunnels of automatic networks; default: that of `--auto-net-mesh` */
  readonly mostAutoLinks?: number;
  readonly congestion?: CongestionChoice | undefined;
  readonly logger: Logger;
}

const NODE_SUBJECT = 'node';
const TICK_MS = 250;
const NETWORK_EVENTS: readonly EventKind[] = ['port-added', 'port-removed', 'network-added', 'network-removed'];

/** A node of a cluster: joins the store, the membership, the mesh and the switch. */
export class ClusterService {
  readonly node: string;
  readonly store: ClusterStore;
  readonly boot: string = randomBytes(12).toString('base64url');
  readonly #parts: ClusterParts;
  readonly #logger: Logger;
  readonly #membership: Membership;
  readonly #nameConflict: NameConflict;
  readonly #announcements: AnnouncementTimer;
  /** undefined: the maker of the service has the keys */
  readonly #key: KnownClusterKey | undefined;
  readonly #mesh: ClusterMesh;
  readonly #trees: ClusterTrees;
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[] = [];
  #networks: readonly string[] = [];
  #url: string | null = null;
  #isDraining = false;
  #isStarted = false;
  #detours: Readonly<Record<string, string | null>> = {};
  #storeSinceMs = performance.now();

  constructor(parts: ClusterParts) {
    const { config, store, etherSwitch, tunnels, logger } = parts;
    this.#parts = parts;
    this.node = config.node;
    this.store = store;
    this.#logger = logger;
    const { node, boot } = this;
    this.#membership = new Membership({ node, boot, onChange: (change) => this.#changed(change) });
    this.#nameConflict = new NameConflict(boot);
    this.#announcements = new AnnouncementTimer({
      nodes: () => this.#membership.size + 1,
      isMember: () => this.#isMember,
      announce: () => store.publish(NODE_SUBJECT, this.#membership.announce(this.#facts())),
    });
    const key = parts.keys === undefined ? new KnownClusterKey(store.table('config'), logger) : undefined;
    this.#key = key;
    this.#mesh = new ClusterMesh({
      ...{ node, boot, etherSwitch, tunnels, logger },
      keys: parts.keys ?? (() => key?.keys ?? []),
      memberOf: (other) => this.#membership.wantedOne(other),
      members: () => this.#membership.wanted(),
      cacertsFile: config.cacertsFile,
      mostAutoLinks: parts.mostAutoLinks ?? SWITCH_OPTIONS.autoNetMesh.default,
      congestion: parts.congestion,
    });
    this.#trees = new ClusterTrees({
      ...{ cluster: config.name, node, etherSwitch, logger },
      table: store.table('config'),
      isMember: (name) => this.isAlive(name),
      isKeeper: () => this.#isMember && this.store.isConnected && this.nodes()[0] === this.node,
    });
  }

  /**
   * Begins to be a member: asks whether the name is free, if the store can be reached, announces this node, and opens the mesh.
   * To be called when the services listen.
   * @throws EtherwsError CLUSTER_NODE_TAKEN
   */
  async start(): Promise<void> {
    const { config, store, url, etherSwitch } = this.#parts;
    this.#url = await url();
    const { node, boot } = this;
    if (store.isConnected) await requireFreeName(store, { cluster: config.name, node, boot });
    this.#isStarted = true;
    this.#stops.push(
      answerClaims(store, node, () => ({ boot, url: this.#url })),
      store.subscribe(NODE_SUBJECT, (message) => this.#membership.heard(message)),
      store.onConnection((isConnected) => this.#storeChanged(isConnected)),
      store.table('config').watch(({ key }) => {
        if (!key.startsWith('cluster.')) return;
        this.#key?.tableChanged();
        this.#reconcile();
      }),
      etherSwitch.events.subscribe(() => this.#lookAtNetworks(), NETWORK_EVENTS),
    );
    const timer = setInterval(() => this.#tick(), TICK_MS);
    this.#stops.push(() => clearInterval(timer));
    this.#membership.setStore(store.isConnected);
    if (store.isConnected) void this.#key?.make();
    else this.#logger.warn({ cluster: config.name }, 'the store of the cluster is not there yet');
    this.#networks = this.#ownNetworks();
    this.#announcements.changed();
  }

  /** The names of all living nodes, this one included, in order. */
  nodes(): string[] {
    return [this.node, ...[...this.#membership.members()].map(({ announcement }) => announcement.node)].sort();
  }

  /** What the other living nodes have announced. */
  others(): NodeAnnouncement[] {
    return [...this.#membership.members()].map(({ announcement }) => announcement);
  }

  isAlive(node: string): boolean {
    return node === this.node || this.#membership.get(node) !== undefined;
  }

  /** Calls `listener` after each change of the set of nodes, or of what they announce but load. @returns stops that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether another living node has the name of this one, so that it takes no part in the cluster. */
  get isNameTaken(): boolean {
    return this.#nameConflict.winner !== undefined;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Tells the others at once that this node takes no more clients, or takes them again: what an operator does next, at another
   * node, may depend on it. @returns resolves when the store has it, or cannot be asked
   */
  setDraining(isDraining: boolean): Promise<void> {
    if (isDraining === this.#isDraining) return Promise.resolve();
    this.#isDraining = isDraining;
    this.#announcements.changedUrgently();
    return this.store.flush();
  }

  /** Streams of the control API from and to the other nodes. */
  get streams(): Pick<ClusterMesh, 'serveStreams' | 'openStream'> {
    return this.#mesh;
  }

  status(): Omit<ClusterStatus, 'revision'> {
    return clusterStatus({
      name: this.#parts.config.name,
      own: this.#membership.announce(this.#facts()),
      store: this.store,
      storeSinceMs: this.#storeSinceMs,
      isTaken: this.isNameTaken,
      members: [...this.#membership.members()],
      links: this.#mesh.links(),
      carried: this.#mesh.carried,
      refused: this.#parts.refused?.() ?? null,
      left: this.#mesh.left,
      meshRefused: this.#mesh.refused,
    });
  }

  /** Tells the others that this node leaves, and closes the mesh. The store stays open: it is its maker's. */
  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) stop();
    this.#announcements.close();
    this.#key?.close();
    if (this.#isStarted) this.store.publish(NODE_SUBJECT, this.#membership.announce(this.#facts(), true));
    this.#isStarted = false;
    this.#listeners.clear();
    this.#trees.close();
    this.#mesh.close();
  }

  #storeChanged(isConnected: boolean): void {
    this.#storeSinceMs = performance.now();
    this.#membership.setStore(isConnected);
    const { name: cluster } = this.#parts.config;
    if (isConnected) this.#logger.info({ cluster }, 'the store of the cluster is there');
    else this.#logger.warn({ cluster }, 'the store of the cluster is lost; frames are forwarded as before');
    if (isConnected) {
      void this.#key?.make();
      this.#announcements.answer();
    }
    this.#parts.etherSwitch.events.publish(isConnected ? 'store-found' : 'store-lost', { cluster });
    this.#tell();
  }

  #changed(change: MembershipChange): void {
    const { node } = change;
    const { events } = this.#parts.etherSwitch;
    if (change.kind === 'conflict') {
      if (this.#nameConflict.heard(change.announcement)) this.#nameChanged();
      return;
    }
    if (change.kind === 'down') {
      this.#logger.warn({ node, reason: change.reason }, 'a node of the cluster is gone');
      events.publish('node-down', { node, reason: change.reason });
    } else if (change.kind === 'up' || change.kind === 'restarted') {
      const { url, version, protocol } = change.announcement;
      this.#logger.info({ node, url, version }, change.kind === 'up' ? 'a node joined' : 'a node was restarted');
      events.publish('node-up', { node, url, version });
      if (protocol !== CLUSTER_PROTOCOL) {
        this.#logger.warn({ error: otherProtocol(change.announcement) }, 'no tunnel to a node');
      }
      // It learns of this node at once, not within a second.
      if (this.#isStarted) this.#announcements.answer();
    }
    this.#reconcile();
    this.#tell();
  }

  /** Another node has, or has no longer, the name of this one. */
  #nameChanged(): void {
    const { winner } = this.#nameConflict;
    const { name: cluster } = this.#parts.config;
    if (winner === undefined)
      this.#logger.info({ cluster }, 'the name of this node is free; it takes part in the cluster');
    else {
      const error = nodeTaken(this.node, cluster, winner.url ?? undefined);
      this.#logger.error({ error }, 'takes no part in the cluster until the name is free');
    }
    this.#reconcile();
    if (winner === undefined) this.#announcements.changed();
    this.#tell();
  }

  #tick(): void {
    const nowMs = performance.now();
    const up = new Set<string>();
    for (const { node, isUp } of this.#mesh.links()) if (isUp) up.add(node);
    for (const { node } of [...this.#membership.wanted()]) this.#membership.setTunnel(node, up.has(node));
    this.#membership.tick(nowMs);
    if (this.#nameConflict.tick(nowMs, this.store.isConnected)) this.#nameChanged();
    this.#lookAtNetworks();
    this.#lookAtDetours();
    if (this.#mesh.hasRoomAgain) this.#reconcile();
    this.#announcements.tick(nowMs);
  }

  #facts(): NodeFacts {
    return {
      url: this.#url,
      version: VERSION,
      networks: this.#networks,
      load: this.#parts.load(),
      isDraining: this.#isDraining,
      detours: this.#detours,
      intervalMs: this.#announcements.intervalMs,
    };
  }

  #lookAtNetworks(): void {
    const networks = this.#ownNetworks();
    if (networks.join() === this.#networks.join()) return;
    this.#networks = networks;
    this.#announcements.changed();
    this.#reconcile();
  }

  /** The networks that have ports of this node itself. */
  #ownNetworks(): string[] {
    const own: string[] = [];
    for (const { name, bridge } of this.#parts.etherSwitch.networks) {
      for (const { meshNode } of bridge.ports.values()) {
        if (meshNode !== undefined) continue;
        own.push(name);
        break;
      }
    }
    return own;
  }

  #lookAtDetours(): void {
    const detours = this.#mesh.detours();
    const former = this.#detours;
    if (JSON.stringify(detours) === JSON.stringify(former)) return;
    this.#detours = detours;
    for (const [node, via] of Object.entries(detours)) {
      if (via !== null && former[node] !== via) this.#logger.warn({ node, via }, 'a third node carries to a node');
    }
    for (const node of Object.keys(former)) {
      if (!(node in detours)) this.#logger.info({ node }, 'a node is reached directly again, or is gone');
    }
    this.#announcements.changed();
  }

  /** Whether this node takes part: it has begun, and has its name. */
  get #isMember(): boolean {
    return this.#isStarted && !this.isNameTaken;
  }

  #reconcile(): void {
    this.#mesh.reconcile(this.#isMember ? { node: this.node, url: this.#url, networks: this.#networks } : undefined);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

const VERSION = readVersion();
