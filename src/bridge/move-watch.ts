import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { PortNumber } from './bridge-port.ts';
import type { FilteringEntry } from './fdb.ts';
import { MOVES_WINDOW_MS } from './moves.ts';

/** So many addresses that flap between the same two ports at once make a loop of it. */
const LOOP_ADDRESSES = 3;
/** More flapping addresses than this are not watched: a loop is one of them or of thousands. */
const MOST_WATCHED = 1024;

/** One address moves to and fro: two stations have it, or frames go round. */
export interface AddressReport {
  readonly kind: 'address';
  readonly vid: Vid;
  readonly mac: MacAddress;
  /** The lower number first. */
  readonly ports: readonly [PortNumber, PortNumber];
  readonly moves: number;
  readonly withinMs: number;
}

/** Several addresses move between the same two ports at once: what is sent to one comes back by the other. */
export interface LoopReport {
  readonly kind: 'loop';
  readonly ports: readonly [PortNumber, PortNumber];
  readonly addresses: number;
  readonly moves: number;
}

export type MoveReport = AddressReport | LoopReport;

/** The flapping addresses between two ports. */
interface Pair {
  readonly ports: readonly [PortNumber, PortNumber];
  readonly entries: FilteringEntry[];
}

/**
 * Finds duplicate addresses and loops in the moves of addresses. Sans-I/O: it is
 * told of each move, and asked for reports about once a second, so that what
 * happens to many addresses at once becomes one report.
 */
export class MoveWatch {
  readonly #flapping = new Set<FilteringEntry>();
  /** When each address, and each pair of ports as a loop, was reported last; while it goes on, that is once a minute. */
  readonly #addressesMs = new Map<FilteringEntry, number>();
  readonly #loopsMs = new Map<string, number>();

  /** To be called behind each move. */
  moved(entry: FilteringEntry, nowMs: number): void {
    if (this.#flapping.size < MOST_WATCHED && entry.moves?.isFlapping(nowMs) === true) this.#flapping.add(entry);
  }

  /** What has not been reported within the last minute. */
  reports(nowMs: number): MoveReport[] {
    if (this.#flapping.size === 0) return [];
    this.#forgetCalm(nowMs);
    const pairs = this.#pairs();
    // Not before a minute is over: an address that goes round more ports is now between these two, now between those.
    for (const [key, reportedMs] of this.#loopsMs) {
      if (!pairs.has(key) && isDue(reportedMs, nowMs)) this.#loopsMs.delete(key);
    }
    return [...pairs].flatMap(([key, pair]): MoveReport[] => {
      if (pair.entries.length < LOOP_ADDRESSES && !this.#loopsMs.has(key)) return this.#addressReports(pair, nowMs);
      if (!isDue(this.#loopsMs.get(key), nowMs)) return [];
      this.#loopsMs.set(key, nowMs);
      return [loopReport(pair, nowMs)];
    });
  }

  #forgetCalm(nowMs: number): void {
    for (const entry of this.#flapping) {
      if (entry.moves?.isFlapping(nowMs) === true) continue;
      this.#flapping.delete(entry);
      this.#addressesMs.delete(entry);
    }
  }

  #pairs(): Map<string, Pair> {
    const pairs = new Map<string, Pair>();
    for (const entry of this.#flapping) {
      const ports = portsOf(entry);
      const key = ports.join();
      const pair = pairs.get(key);
      if (pair === undefined) pairs.set(key, { ports, entries: [entry] });
      else pair.entries.push(entry);
    }
    return pairs;
  }

  #addressReports({ ports, entries }: Pair, nowMs: number): AddressReport[] {
    const due = entries.filter((entry) => isDue(this.#addressesMs.get(entry), nowMs));
    return due.map((entry) => {
      this.#addressesMs.set(entry, nowMs);
      const { moves = 0, withinMs = 0 } = entry.moves?.takeUnreported(nowMs) ?? {};
      return { kind: 'address', vid: entry.vid, mac: entry.mac, ports, moves, withinMs };
    });
  }
}

function isDue(reportedMs: number | undefined, nowMs: number): boolean {
  return reportedMs === undefined || nowMs - reportedMs >= MOVES_WINDOW_MS;
}

function loopReport({ ports, entries }: Pair, nowMs: number): LoopReport {
  const moves = entries.reduce((sum, entry) => sum + (entry.moves?.takeUnreported(nowMs).moves ?? 0), 0);
  return { kind: 'loop', ports, addresses: entries.length, moves };
}

function portsOf({ port, moves }: FilteringEntry): [PortNumber, PortNumber] {
  const from = moves?.from ?? port.number;
  return from < port.number ? [from, port.number] : [port.number, from];
}
