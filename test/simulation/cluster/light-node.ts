import type { MeshStation, StationStore } from '../../../src/bridge/mesh/mesh-station.ts';
import { StationExchange } from '../../../src/bridge/mesh/station-exchange.ts';
import type { MacAddress } from '../../../src/wire/ethernet/mac-address.ts';
import { UNTAGGED } from '../../../src/wire/ethernet/vid.ts';
import type { CommonView } from './common-view.ts';
import { macOf, nameOf, type SimNode, type Surroundings, stationOf } from './sim-node.ts';

const HERE = { meshNode: undefined, isIsolated: false } as const;

/**
 * A node that has the exchange of the product and its own stations, and counts what the others tell instead of keeping it: a
 * thousand filtering databases of a million stations fit into no machine. What it would know of a station that comes to it, the
 * common view says.
 */
export class LightNode implements SimNode {
  readonly index: number;
  readonly isFull = false;
  readonly exchange: StationExchange;
  readonly #around: Surroundings;
  readonly #common: CommonView;
  readonly #own = new Map<MacAddress, MeshStation>();

  constructor(around: Surroundings, index: number, common: CommonView) {
    this.#around = around;
    this.#common = common;
    this.index = index;
    this.exchange = new StationExchange({
      store: this.#store(),
      self: () => nameOf(index),
      now: () => around.nowMs,
      send: (to, kind, payload) => around.send(index, to, kind, payload),
      wakeBy: (atMs) => around.wakeBy(index, atMs),
    });
  }

  /** How many stations are at it. */
  get size(): number {
    return this.#own.size;
  }

  arrive(station: number): void {
    const mac = macOf(station);
    if (this.#own.has(mac)) return;
    const teller = this.#common.nodeOf(station);
    const made: MeshStation = {
      ...{ vid: UNTAGGED, mac, kind: 'learned', seenMs: this.#around.nowMs, port: HERE },
      ...{ sequence: 0, isHeld: false, isIsolated: false, isAnnounced: false },
    };
    this.#own.set(mac, made);
    this.#common.held(station, this.index);
    if (teller < 0 || teller === this.index) {
      this.exchange.appeared(made);
      return;
    }
    made.sequence = this.#common.sequenceOf(station);
    this.exchange.moved(made, { meshNode: nameOf(teller), isIsolated: false }, 'told');
  }

  leave(station: number): void {
    const entry = this.#own.get(macOf(station));
    if (entry === undefined) return;
    this.#drop(macOf(station));
    this.exchange.gone(entry);
  }

  linkDown(other: string): void {
    this.exchange.linkDown(other);
  }

  #drop(mac: MacAddress): void {
    if (this.#own.delete(mac)) this.#common.notHeld(stationOf(mac), this.index);
  }

  #store(): StationStore {
    return {
      find: ({ mac }) => this.#own.get(mac),
      tell: ({ mac }) => this.#drop(mac),
      forget: ({ mac }) => this.#drop(mac),
      forgetNode: () => undefined,
      own: () => this.#own.values(),
      toldBy: () => [],
      room: Number.MAX_SAFE_INTEGER,
    };
  }
}
