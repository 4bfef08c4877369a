import type { Station } from './tables.ts';

/** What the drawing needs of the stations at a port. */
export interface StationsOfPort {
  count: number;
  /** the keys of some of them, at most as many as were asked for, in the order of the table */
  readonly some: string[];
}

/** Addresses that move to and fro between a port and another one. */
export interface Flapping {
  addresses: number;
  /** the last other port that was met */
  other: number;
}

export interface StationIndex {
  readonly byPort: ReadonlyMap<number, StationsOfPort>;
  readonly flapping: ReadonlyMap<number, Flapping>;
}

/** The clock is asked once for so many stations. */
const BATCH = 512;

/** One pass over all stations, without an object for each. 65 536 of them take longer than a frame, so it runs in slices. */
export class StationIndexer implements StationIndex {
  readonly byPort = new Map<number, StationsOfPort>();
  readonly flapping = new Map<number, Flapping>();
  readonly #stations: Iterator<[string, Station]>;
  readonly #most: (port: number) => number;

  /**
   * @param stations may change between two slices
   * @param most so many keys are kept of each port
   */
  constructor(stations: ReadonlyMap<string, Station>, most: (port: number) => number) {
    this.#stations = stations.entries();
    this.#most = most;
  }

  /** Takes stations for at most `budgetMs`, and at least 512. @returns whether all are taken */
  run(budgetMs: number, now: () => number = () => performance.now()): boolean {
    const end = now() + budgetMs;
    do {
      for (let count = 0; count < BATCH; count++) {
        const next = this.#stations.next();
        if (next.done === true) return true;
        this.#take(next.value[0], next.value[1]);
      }
    } while (now() < end);
    return false;
  }

  #take(key: string, { port, movedFrom, flapping: isFlapping }: Station): void {
    let at = this.byPort.get(port);
    if (at === undefined) {
      at = { count: 0, some: [] };
      this.byPort.set(port, at);
    }
    at.count++;
    if (at.some.length < this.#most(port)) at.some.push(key);
    if (!isFlapping || movedFrom === null || movedFrom === port) return;
    note(this.flapping, port, movedFrom);
    note(this.flapping, movedFrom, port);
  }
}

/** The index of all stations, at once. */
export function indexStations(stations: ReadonlyMap<string, Station>, most: (port: number) => number): StationIndex {
  const indexer = new StationIndexer(stations, most);
  indexer.run(Number.POSITIVE_INFINITY);
  return indexer;
}

function note(flapping: Map<number, Flapping>, port: number, other: number): void {
  const known = flapping.get(port);
  if (known === undefined) flapping.set(port, { addresses: 1, other });
  else {
    known.addresses++;
    known.other = other;
  }
}
