import { supersedes } from '../../../src/bridge/mesh/mesh-station.ts';
import { decodeNames, decodeRecords, STATION_KINDS } from '../../../src/wire/mesh/station-records.ts';
import { nameOf, stationOf } from './sim-node.ts';

/** What the light nodes know together: where each station was announced, and which light nodes have it. */
export class CommonView {
  readonly #nodes: Int32Array;
  readonly #sequences: Uint32Array;
  /** A light node that has the station at a port of its own; -1: none. Further ones, while it moves, are in `#more`. */
  readonly #holders: Int32Array;
  readonly #more = new Map<number, Set<number>>();

  constructor(stations: number) {
    this.#nodes = new Int32Array(stations).fill(-1);
    this.#sequences = new Uint32Array(stations);
    this.#holders = new Int32Array(stations).fill(-1);
  }

  nodeOf(station: number): number {
    return this.#nodes[station] ?? -1;
  }

  sequenceOf(station: number): number {
    return this.#sequences[station] ?? 0;
  }

  held(station: number, node: number): void {
    if (this.#holders[station] === -1) this.#holders[station] = node;
    else this.#more.set(station, (this.#more.get(station) ?? new Set()).add(node));
  }

  notHeld(station: number, node: number): void {
    const more = this.#more.get(station);
    if (this.#holders[station] === node) {
      const [next = -1] = more ?? [];
      this.#holders[station] = next;
      more?.delete(next);
    } else more?.delete(node);
    if (more?.size === 0) this.#more.delete(station);
  }

  /** The light nodes that have one of the stations of a message, which they therefore have to take. */
  concerned(kind: number, payload: Uint8Array): ReadonlySet<number> {
    const nodes = new Set<number>();
    if (kind !== STATION_KINDS.announce && kind !== STATION_KINDS.newer) return nodes;
    for (const { mac } of decodeRecords(payload) ?? []) {
      const station = stationOf(mac);
      const holder = this.#holders[station] ?? -1;
      if (holder >= 0) nodes.add(holder);
      for (const node of this.#more.get(station) ?? []) nodes.add(node);
    }
    return nodes;
  }

  /** A node has told this to all. */
  told(from: number, kind: number, payload: Uint8Array): void {
    if (kind === STATION_KINDS.announce) {
      for (const { mac, sequence, isHeld } of decodeRecords(payload) ?? []) {
        const station = stationOf(mac);
        const known = this.nodeOf(station);
        const claim = { sequence, isHeld, node: nameOf(from) };
        const present = { sequence: this.sequenceOf(station), isHeld: false, node: nameOf(known) };
        if (known >= 0 && known !== from && !supersedes(claim, present)) continue;
        this.#nodes[station] = from;
        this.#sequences[station] = sequence;
      }
    } else if (kind === STATION_KINDS.withdraw) {
      for (const { mac } of decodeNames(payload) ?? []) {
        if (this.nodeOf(stationOf(mac)) === from) this.#nodes[stationOf(mac)] = -1;
      }
    } else if (kind === STATION_KINDS.flush) this.nodeGone(from);
  }

  nodeGone(node: number): void {
    for (let station = 0; station < this.#nodes.length; station++) {
      if (this.#nodes[station] === node) this.#nodes[station] = -1;
    }
  }
}
