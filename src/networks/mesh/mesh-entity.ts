import type { BridgePort } from '../../bridge/bridge-port.ts';
import { LazyMap } from '../../bridge/lazy-map.ts';
import { StationExchange } from '../../bridge/mesh/station-exchange.ts';
import { encodeMeshFrame, readMeshFrame } from '../../wire/mesh/mesh-frame.ts';
import { STATION_KINDS } from '../../wire/mesh/station-records.ts';
import type { EntityHost, NetworkEntity } from '../network-entity.ts';

/**
 * A part of a network that has messages for the same part at other nodes. Each network has its parties, also without a
 * cluster, so they are objects that are there anyway, and not a function for each kind. No method throws.
 */
export interface MeshParty {
  /** Called after each change of `MeshEntity.nodes`. */
  nodesChanged?(): void;
  /**
   * Called for each message that is not of stations, whatever its kind.
   * @param node the one that has sent it
   * @param payload valid, and read-only, until the call returns
   */
  messageReceived?(kind: number, node: string, payload: Uint8Array, nowMs: number): void;
}

const OF_STATIONS: ReadonlySet<number> = new Set(Object.values(STATION_KINDS));

/**
 * The mesh of a network: the other nodes of the cluster that have members of it, and the messages between them. Without a
 * port of the mesh it does nothing.
 */
export class MeshEntity implements NetworkEntity {
  readonly #host: EntityHost;
  #self = '';
  /** The ports to other nodes, by node; those that can be used, and all. */
  readonly #up = new LazyMap<string, BridgePort>();
  #parties: readonly MeshParty[] = [];
  #exchange: StationExchange | undefined;

  constructor(host: EntityHost) {
    this.#host = host;
  }

  /** The name of this node; empty before `setSelf`. */
  get self(): string {
    return this.#self;
  }

  /** Sets the name of this node, before its first port. Names decide between nodes that have the same station. */
  setSelf(node: string): void {
    this.#self = node;
  }

  /** Stations between the nodes; undefined before the first port of the mesh. */
  get exchange(): StationExchange | undefined {
    return this.#exchange;
  }

  /** The other nodes that are reached now. */
  nodes(): Iterable<string> {
    return this.#up.keys();
  }

  /** Tells a party of messages and nodes from now on, behind those that have joined before. */
  join(party: MeshParty): void {
    this.#parties = [...this.#parties, party];
  }

  /**
   * Sends a message, at most once. What is sent within a call of `nodesChanged` may come before the other end is ready.
   * @param kind an octet: 1 to 15 are of stations, 16 to 31 of spanning tree and loops, 32 of DHCP
   * @param payload at most MAX_MESH_PAYLOAD_BYTES
   * @param toNode undefined: to all nodes that are reached now
   * @returns whether the port took it; to all: whether each did
   */
  send(kind: number, payload: Uint8Array, toNode?: string): boolean {
    const { bridge, address } = this.#host;
    const frame = encodeMeshFrame(address, { kind, payload });
    if (toNode !== undefined) {
      const port = this.#up.get(toNode);
      return port !== undefined && bridge.transmit(port, frame);
    }
    let isTaken = true;
    for (const port of this.#up.values()) isTaken = bridge.transmit(port, frame) && isTaken;
    return isTaken;
  }

  portAdded(port: BridgePort): void {
    if (port.meshNode === undefined) return;
    this.#host.bridge.mesh.receiver ??= (from, frame, nowMs) => this.#received(from, frame, nowMs);
    this.#exchange ??= this.#startExchange();
    this.portChanged(port);
  }

  portChanged(port: BridgePort): void {
    const { meshNode } = port;
    if (meshNode === undefined) return;
    const present = this.#up.get(meshNode);
    if (port === present) {
      if (!port.isUsable) this.#down(meshNode);
      return;
    }
    // A node that has been dialled again may have two ports for a moment; the newer one counts.
    if (!port.isUsable || (present !== undefined && present.number > port.number)) return;
    if (present !== undefined) this.#down(meshNode);
    this.#up.set(meshNode, port);
    this.#exchange?.linkUp(meshNode, this.#host.nowMs());
    this.#nodesChanged();
  }

  portRemoved(port: BridgePort): void {
    const { meshNode } = port;
    if (meshNode !== undefined && this.#up.get(meshNode) === port) this.#down(meshNode);
  }

  tick(nowMs: number): void {
    this.#exchange?.tick(nowMs);
  }

  #down(node: string): void {
    this.#exchange?.linkDown(node);
    this.#up.delete(node);
    this.#nodesChanged();
  }

  #nodesChanged(): void {
    for (const party of this.#parties) party.nodesChanged?.();
  }

  #startExchange(): StationExchange {
    const host = this.#host;
    return host.bridge.mesh.watch(
      (store) =>
        new StationExchange({
          store,
          self: () => this.#self,
          now: () => host.nowMs(),
          send: (node, kind, payload) => this.send(kind, payload, node),
          wakeBy: (atMs) => host.wakeBy(atMs),
        }),
      (node) => this.#up.get(node),
    );
  }

  #received({ meshNode }: BridgePort, frame: Uint8Array, nowMs: number): void {
    if (meshNode === undefined) return;
    for (const { kind, payload } of readMeshFrame(frame) ?? []) {
      if (OF_STATIONS.has(kind)) this.#exchange?.received(meshNode, kind, payload, nowMs);
      else for (const party of this.#parties) party.messageReceived?.(kind, meshNode, payload, nowMs);
    }
  }
}
