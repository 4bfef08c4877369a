import { Bridge } from '../../../src/bridge/bridge.ts';
import type { BridgePort } from '../../../src/bridge/bridge-port.ts';
import { StationExchange } from '../../../src/bridge/mesh/station-exchange.ts';
import { MemoryPort } from '../../../src/ports/memory-port.ts';
import { batchOf } from '../../../src/wire/ethernet/frame-batch.ts';
import { UNTAGGED } from '../../../src/wire/ethernet/vid.ts';
import { macOf, nameOf, type SimNode, type Surroundings } from './sim-node.ts';

/** A node with the bridge of the product, whose filtering database has all stations of the cluster. */
export class FullNode implements SimNode {
  readonly index: number;
  readonly isFull = true;
  readonly bridge: Bridge;
  readonly exchange: StationExchange;
  readonly #around: Surroundings;
  readonly #local: BridgePort;
  readonly #ports = new Map<string, BridgePort>();
  readonly #nodeOf = new Map<BridgePort, number>();

  /** @param stations numbers of real stations end below it. @param nodes how many nodes there are */
  constructor(around: Surroundings, index: number, nodes: number, stations: number, ageingTimeMs: number) {
    this.#around = around;
    this.index = index;
    this.bridge = new Bridge({ ageingTimeMs, fdbCapacity: 2 * stations + 100 });
    this.#local = this.bridge.attach(new MemoryPort());
    for (let other = 0; other < nodes; other++) {
      if (other === index) continue;
      const port = this.bridge.attach(Object.assign(new MemoryPort(), { meshNode: nameOf(other) }));
      this.#ports.set(nameOf(other), port);
      this.#nodeOf.set(port, other);
    }
    this.exchange = this.bridge.mesh.watch(
      (store) =>
        new StationExchange({
          store,
          self: () => nameOf(index),
          now: () => around.nowMs,
          send: (to, kind, payload) => around.send(index, to, kind, payload),
          wakeBy: (atMs) => around.wakeBy(index, atMs),
        }),
      (node) => this.#ports.get(node),
    );
  }

  arrive(station: number): void {
    const frame = Buffer.alloc(60);
    // To itself: the bridge learns the source, and has no port to send the frame to.
    frame.writeUIntBE(macOf(station), 0, 6);
    frame.writeUIntBE(macOf(station), 6, 6);
    frame.writeUInt16BE(0x0800, 12);
    this.bridge.receive(this.#local, batchOf(frame), this.#around.nowMs);
  }

  leave(station: number): void {
    if (this.bridge.entries.find(UNTAGGED, macOf(station))?.port === this.#local) {
      this.bridge.entries.delete(UNTAGGED, macOf(station));
    }
  }

  age(): void {
    this.bridge.age(this.#around.nowMs);
  }

  linkDown(other: string): void {
    this.exchange.linkDown(other);
  }

  /** The node to which a frame for the station would go; -1: it would be flooded. */
  whereIs(station: number): number {
    const port = this.bridge.entries.find(UNTAGGED, macOf(station))?.port;
    if (port === undefined) return -1;
    return port === this.#local ? this.index : (this.#nodeOf.get(port) ?? -1);
  }
}
