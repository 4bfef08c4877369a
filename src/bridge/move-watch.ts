import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { PortNumber } from './bridge-port.ts';
import type { FilteringEntry } from './fdb.ts';
import { LazyMap } from './lazy-map.ts';
import { MOVES_WINDOW_MS, type Moves } from './moves.ts';

/** So many addresses that flap between the same two ports at the same time are reported as a loop. */
const LOOP_ADDRESSES = 3;
/** The most flapping addresses that are watched. A loop may make thousands flap; these suffice to detect it. */
const MOST_WATCHED = 1024;
const MOST_VIDS = 8;

/** An address moves repeatedly between ports: two stations have it, or there is a loop. */
export interface AddressReport {
  readonly kind: 'address';
  readonly vid: Vid;
  readonly mac: MacAddress;
  /** The lower number first. */
  readonly ports: readonly [PortNumber, PortNumber];
  readonly moves: number;
  readonly withinMs: number;
}

/** Several addresses move between the same two ports at the same time: frames sent to one port come back by the other. */
export interface LoopReport {
  readonly kind: 'loop';
  /** Some VLANs of these addresses, at most MOST_VIDS. */
  readonly vids: readonly Vid[];
  readonly ports: readonly [PortNumber, PortNumber];
  readonly addresses: number;
  readonly moves: number;
}

export type MoveReport = AddressReport | LoopReport;

/** The flapping addresses between two ports. */
interface Pair {
  readonly ports: readonly [PortNumber, PortNumber];
  readonly stations: Station[];
}

/** A flapping address. */
interface Station {
  readonly entry: FilteringEntry;
  readonly moves: Moves;
}

/**
 * Detects duplicate addresses and loops by the moves of addresses. Sans-I/O: `moved` is called
 * for each move, and `reports` about once a second, so that simultaneous moves of
 * many addresses become one report.
 */
export class MoveWatch {
  readonly #flapping = new LazyMap<FilteringEntry, Moves>();
  /** When each address, and each pair of ports as a loop, was reported last; while it goes on, that is once a minute. */
  readonly #addressesMs = new LazyMap<FilteringEntry, number>();
  readonly #loopsMs = new LazyMap<string, number>();

  /** To be called after each move. */
  moved(entry: FilteringEntry, moves: Moves, nowMs: number): void {
    if (this.#flapping.size < MOST_WATCHED && moves.isFlapping(nowMs)) this.#flapping.set(entry, moves);
  }

  /** The reports that were not made within the last minute. */
  reports(nowMs: number): MoveReport[] {
    if (this.#flapping.size === 0 && this.#loopsMs.size === 0) return [];
    this.#forgetCalm(nowMs);
    const pairs = this.#pairs();
    // Not before a minute is over: an address that goes round more ports is now between these two, now between those.
    for (const [key, reportedMs] of this.#loopsMs) {
      if (!pairs.has(key) && isDue(reportedMs, nowMs)) this.#loopsMs.delete(key);
    }
    return [...pairs].flatMap(([key, pair]): MoveReport[] => {
      if (pair.stations.length < LOOP_ADDRESSES && !this.#loopsMs.has(key)) return this.#addressReports(pair, nowMs);
      if (!isDue(this.#loopsMs.get(key), nowMs)) return [];
      this.#loopsMs.set(key, nowMs);
      return [loopReport(pair, nowMs)];
    });
  }

  #forgetCalm(nowMs: number): void {
    for (const [entry, moves] of this.#flapping) {
      if (moves.isFlapping(nowMs)) continue;
      this.#flapping.delete(entry);
      this.#addressesMs.delete(entry);
    }
  }

  #pairs(): Map<string, Pair> {
    const pairs = new Map<string, Pair>();
    for (const [entry, moves] of this.#flapping) {
      const ports = portsOf(entry, moves);
      const key = ports.join();
      const pair = pairs.get(key);
      if (pair === undefined) pairs.set(key, { ports, stations: [{ entry, moves }] });
      else pair.stations.push({ entry, moves });
    }
    return pairs;
  }

  #addressReports({ ports, stations }: Pair, nowMs: number): AddressReport[] {
    const due = stations.filter(({ entry }) => isDue(this.#addressesMs.get(entry), nowMs));
    return due.map(({ entry, moves }) => {
      this.#addressesMs.set(entry, nowMs);
      return { kind: 'address', vid: entry.vid, mac: entry.mac, ports, ...moves.takeUnreported(nowMs) };
    });
  }
}

function isDue(reportedMs: number | undefined, nowMs: number): boolean {
  return reportedMs === undefined || nowMs - reportedMs >= MOVES_WINDOW_MS;
}

function loopReport({ ports, stations }: Pair, nowMs: number): LoopReport {
  const moves = stations.reduce((sum, station) => sum + station.moves.takeUnreported(nowMs).moves, 0);
  const vids = [...new Set(stations.map(({ entry }) => entry.vid))].slice(0, MOST_VIDS);
  return { kind: 'loop', ports, vids, addresses: stations.length, moves };
}

function portsOf({ port }: FilteringEntry, { from }: Moves): [PortNumber, PortNumber] {
  return from < port.number ? [from, port.number] : [port.number, from];
}
