import { randomInt } from 'node:crypto';
import type { BridgePort } from '../bridge/bridge-port.ts';
import { LazySet } from '../bridge/lazy-set.ts';
import { BridgeTree } from '../bridge/spanning-tree/bridge-tree.ts';
import type { PortNumbers } from '../bridge/spanning-tree/port-numbers.ts';
import type { SpanningTreeEvent } from '../bridge/spanning-tree/spanning-tree.ts';
import type { NetworkSettings } from '../schema/network-options.ts';
import { formatBridgeId } from '../wire/bpdu/bridge-id.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { MeshEntity, MeshParty } from './mesh/mesh-entity.ts';
import type { EntityHost, NetworkEntity } from './network-entity.ts';

/** What the spanning tree of a network needs, where its bridge is one with those of the other nodes of a cluster. */
export interface ClusterTree {
  /** The address in the bridge identifier, the same at all nodes. */
  readonly address: MacAddress;
  /** Those that no other node uses. */
  readonly portNumbers: PortNumbers;
  /** Calls `listener` when there are other numbers. @returns stops that */
  onNumbers(listener: () => void): () => void;
}

/** The kind of messages of the mesh that are reports of trees; an empty one: there is no tree. */
const TREE_REPORT = 16;
const NO_TREE = new Uint8Array();

/** The spanning tree of a network. A network without ports, or with `stp: off`, has none. */
export class SpanningTreeEntity implements NetworkEntity, MeshParty {
  readonly #host: EntityHost;
  #settings: NetworkSettings | undefined;
  #tree: BridgeTree | undefined;
  readonly #mesh: MeshEntity;
  #cluster: ClusterTree | undefined;
  #stopNumbers: (() => void) | undefined;
  /** The nodes that the tree has been told of. */
  readonly #nodes = new LazySet<string>();

  constructor(host: EntityHost, mesh: MeshEntity) {
    this.#host = host;
    this.#mesh = mesh;
    mesh.join(this);
  }

  /** The bridge is one with those of the other nodes of a cluster. To be called once, and behind `MeshEntity.setSelf`. */
  setCluster(cluster: ClusterTree): void {
    this.#cluster = cluster;
    this.#stopNumbers?.();
    this.#stopNumbers = cluster.onNumbers(() => this.#tree?.tree.renumber());
    if (this.#tree === undefined || this.#settings === undefined) return;
    this.#end();
    this.configure(this.#settings);
  }

  /** undefined: it is off, or the network has had no port yet */
  get tree(): BridgeTree | undefined {
    return this.#tree;
  }

  configure(settings: NetworkSettings): void {
    this.#settings = settings;
    if (settings.stp === 'off') this.#end();
    else if (this.#tree !== undefined) this.#tree.tree.configure(treeSettings(settings));
    else if (this.#host.bridge.ports.size > 0) {
      this.#start(settings);
      for (const port of this.#host.bridge.eachPort()) this.portChanged(port);
    }
  }

  portAdded(port: BridgePort): void {
    if (this.#tree !== undefined) this.#tree.portAdded(port);
    else if (this.#settings?.stp === 'on') this.#start(this.#settings);
  }

  portChanged(port: BridgePort): void {
    this.#tree?.portChanged(port);
  }

  portRemoved(port: BridgePort): void {
    this.#tree?.portRemoved(port);
  }

  tick(nowMs: number): void {
    this.#tree?.tick(nowMs);
  }

  nodesChanged(): void {
    const present = new Set(this.#mesh.nodes());
    for (const node of this.#nodes) {
      if (present.has(node)) continue;
      this.#nodes.delete(node);
      this.#tree?.tree.nodeDown(node);
    }
    if (this.#tree === undefined) return;
    for (const node of present) {
      if (this.#nodes.has(node)) continue;
      this.#nodes.add(node);
      this.#tree.tree.nodeUp(node);
    }
  }

  messageReceived(kind: number, node: string, report: Uint8Array): void {
    if (kind !== TREE_REPORT) return;
    const tree = this.#tree?.tree;
    if (tree === undefined) {
      if (report.length > 0) this.#mesh.send(TREE_REPORT, NO_TREE, node);
    } else if (report.length === 0) tree.nodeWithoutTree(node);
    else tree.reportReceived(node, report);
  }

  close(): void {
    this.#end();
    this.#stopNumbers?.();
  }

  #end(): void {
    this.#tree?.end();
    this.#tree = undefined;
    this.#nodes.clear();
    // So the others do not wait for a report.
    for (const node of this.#mesh.nodes()) this.#mesh.send(TREE_REPORT, NO_TREE, node);
  }

  #start(settings: NetworkSettings): void {
    const cluster = this.#cluster;
    const mesh = cluster && {
      node: this.#mesh.self,
      boot: randomInt(2 ** 32),
      portNumbers: cluster.portNumbers,
      send: (node: string, report: Uint8Array) => void this.#mesh.send(TREE_REPORT, report, node),
    };
    const options = { ...treeSettings(settings), address: cluster?.address ?? this.#host.address, mesh };
    this.#tree = new BridgeTree(this.#host.bridge, options, {
      stateChanged: (port) => this.#host.portChanged(port),
      happened: (event) => this.#happened(event),
    });
    this.nodesChanged();
  }

  #happened(event: SpanningTreeEvent): void {
    const { logger } = this.#host;
    switch (event.kind) {
      case 'topologyChange':
        logger.info({ port: event.port, detected: event.isDetected }, 'topology change');
        // Members of groups may be behind other ports now.
        this.#host.bridge.multicast?.topologyChanged();
        this.#host.publish('topology-change', { port: event.port, detected: event.isDetected });
        break;
      case 'bpduGuard':
        logger.warn({ port: event.port }, 'a BPDU has come to a port with BPDU guard, which is disabled');
        this.#host.publish('bpdu-guard', { port: event.port });
        break;
      case 'rootChanged': {
        const facts = { root: formatBridgeId(event.rootId), ...(event.port === undefined ? {} : { port: event.port }) };
        logger.info(facts, 'another root of the spanning tree');
        this.#host.publish('root-changed', facts);
      }
    }
  }
}

function treeSettings({ priority, helloTime, maxAge, forwardDelay }: NetworkSettings) {
  return { priority, helloTime, maxAge, forwardDelay };
}
