import type { BridgePort } from '../../bridge/bridge-port.ts';
import { LazyMap } from '../../bridge/lazy-map.ts';
import { LazySet } from '../../bridge/lazy-set.ts';
import { StationExchange } from '../../bridge/mesh/station-exchange.ts';
import { encodeMeshFrame, readMeshFrame } from '../../wire/mesh/mesh-frame.ts';
import { STATION_KINDS } from '../../wire/mesh/station-records.ts';
import type { EntityHost, NetworkEntity } from '../network-entity.ts';

/** @param node the one that has sent it. @param payload valid, and read-only, until the call returns */
export type MeshListener = (node: string, payload: Uint8Array, nowMs: number) => void;

/**
 * The mesh of a network: the other nodes of the cluster that have members of it, and the messages between them. Without a
 * port of the mesh it does nothing.
 */
export class MeshEntity implements NetworkEntity {
  readonly #host: EntityHost;
  #self = '';
  /** The ports to other nodes, by node; those that can be used, and all. */
  readonly #up = new LazyMap<string, BridgePort>();
  readonly #listeners = new LazyMap<number, readonly MeshListener[]>();
  readonly #onNodes = new LazySet<() => void>();
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

  /** Calls `listener` after each change of `nodes`. @returns stops that */
  onNodes(listener: () => void): () => void {
    this.#onNodes.add(listener);
    return () => void this.#onNodes.delete(listener);
  }

  /**
   * Sends a message, at most once. What is sent within a call of `onNodes` may come before the other end is ready.
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

  /** Calls `listener` for each message of a kind. It must not throw. @returns stops that */
  onMessage(kind: number, listener: MeshListener): () => void {
    // Each network has these, also without a cluster, so they are no sets.
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
    return () => {
      this.#listeners.set(
        kind,
        (this.#listeners.get(kind) ?? []).filter((other) => other !== listener),
      );
    };
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
    for (const listener of this.#onNodes) listener();
  }

  #startExchange(): StationExchange {
    const { bridge, nowMs, wakeBy } = this.#host;
    const exchange = bridge.mesh.watch(
      (store) =>
        new StationExchange({
          store,
          self: () => this.#self,
          now: nowMs,
          send: (node, kind, payload) => this.send(kind, payload, node),
          wakeBy,
        }),
      (node) => this.#up.get(node),
    );
    for (const kind of Object.values(STATION_KINDS)) {
      this.onMessage(kind, (node, payload, atMs) => exchange.received(node, kind, payload, atMs));
    }
    return exchange;
  }

  #received({ meshNode }: BridgePort, frame: Uint8Array, nowMs: number): void {
    if (meshNode === undefined) return;
    for (const { kind, payload } of readMeshFrame(frame) ?? []) {
      for (const listener of this.#listeners.get(kind) ?? []) listener(meshNode, payload, nowMs);
    }
  }
}
