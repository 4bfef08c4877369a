import { LOOP_PROBE_ADDRESS } from '../../wire/ethernet/loop-probe.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { MESH_ADDRESS } from '../../wire/mesh/mesh-frame.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase, FilteringEntry } from '../fdb.ts';
import type { FlowInstaller } from '../flow-installer.ts';
import type { Pass } from '../pass.ts';
import type { MeshKnowledge } from '../stages/isolation.ts';
import { refuse } from '../stages/refuse.ts';
import { FdbStations } from './fdb-stations.ts';
import type { StationStore } from './mesh-station.ts';
import type { StationExchange } from './station-exchange.ts';

/** Gets the frames to MESH_ADDRESS from ports of the mesh, in any state of the spanning tree. It must not throw. */
export type MeshReceiver = (port: BridgePort, frame: Uint8Array, nowMs: number) => void;

/** What a bridge does for the mesh of its network. */
export class BridgeMesh implements MeshKnowledge {
  /** undefined: the network is of no cluster, and frames to MESH_ADDRESS are relayed like others. */
  receiver: MeshReceiver | undefined;
  #stations: FdbStations | undefined;
  readonly #fdb: FilteringDatabase;
  readonly #flows: FlowInstaller;

  constructor(fdb: FilteringDatabase, flows: FlowInstaller) {
    this.#fdb = fdb;
    this.#flows = flows;
  }

  /**
   * Lets an exchange know of the stations of this bridge from now on.
   * @param make makes it on this store
   * @param portOf the port to a node
   */
  watch(
    make: (store: StationStore) => StationExchange,
    portOf: (node: string) => BridgePort | undefined,
  ): StationExchange {
    const stations = new FdbStations(this.#fdb, this.#flows, portOf, make);
    this.#stations = stations;
    this.#fdb.watcher = stations;
    return stations.exchange;
  }

  /** Whether all stations that a node has announced are known here. */
  knowsAllOf(node: string): boolean {
    return this.#stations?.exchange.knowsAllOf(node) === true;
  }

  /** Whether a node was told of a station of this bridge. */
  hasTold(entry: FilteringEntry, node: string): boolean {
    return this.#stations?.exchange.hasTold(entry, node) === true;
  }

  /** To be called when a port is isolated now, or no longer. */
  isolationChanged(port: BridgePort): void {
    this.#stations?.isolationChanged(port);
  }

  /**
   * Hands the present frame to the receiver. From a port of stations it is a discard, so that no station can speak for a
   * node.
   * @returns false: it is no frame of the mesh
   */
  take(pass: Pass): boolean {
    const { ingress, destination, batch, index, nowMs } = pass;
    if (destination !== MESH_ADDRESS || this.receiver === undefined) return false;
    if (ingress.meshNode === undefined) refuse(pass, 'reserved');
    else this.receiver(ingress, batch.frame(index), nowMs);
    return true;
  }
}

/** Whether the address is one of our own protocols, whose frames the bridge may take for itself. */
export function isOwnProtocol(destination: MacAddress): boolean {
  return destination === LOOP_PROBE_ADDRESS || destination === MESH_ADDRESS;
}
