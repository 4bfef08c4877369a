import type { PlaceCounts, PlaceKind } from '../../ports/tunnel/resume/tunnel-places.ts';

type Keyed = Exclude<PlaceKind, 'all'>;
const KEYED: readonly Keyed[] = ['address', 'user'];

/** The places of tunnels that other processes of the service have, as this one was told last. */
export class ElsewherePlaces {
  #all = 0;
  readonly #counts: Readonly<Record<Keyed, Map<string, number>>> = { address: new Map(), user: new Map() };

  apply(changes: PlaceCounts): void {
    this.#all = changes.all;
    for (const kind of KEYED) {
      for (const [key, count] of changes[kind]) {
        if (count > 0) this.#counts[kind].set(key, count);
        else this.#counts[kind].delete(key);
      }
    }
  }

  /** For `TunnelPlaces.elsewhere`. */
  count(kind: PlaceKind, key: string): number {
    return kind === 'all' ? this.#all : (this.#counts[kind].get(key) ?? 0);
  }

  keys(kind: Keyed): Iterable<string> {
    return this.#counts[kind].keys();
  }
}

/** Adds up the places of all processes of the service, and tells each of them what the others have. */
export class PlaceLedger {
  readonly #processes = new Map<number, ElsewherePlaces>();
  /** the keys that a process has yet to be told */
  readonly #untold = new Map<number, Readonly<Record<Keyed, Set<string>>>>();

  /** Counts a process from now on. It has no places yet, and was told nothing. */
  add(process: number): void {
    this.#processes.set(process, new ElsewherePlaces());
    const untold = { address: new Set<string>(), user: new Set<string>() };
    for (const [other, places] of this.#processes) {
      if (other === process) continue;
      for (const kind of KEYED) for (const key of places.keys(kind)) untold[kind].add(key);
    }
    this.#untold.set(process, untold);
  }

  /** The process has ended, and its places with it. */
  remove(process: number): void {
    const places = this.#processes.get(process);
    this.#processes.delete(process);
    this.#untold.delete(process);
    if (places !== undefined) for (const kind of KEYED) for (const key of places.keys(kind)) this.#note(kind, key);
  }

  apply(process: number, changes: PlaceCounts): void {
    this.#processes.get(process)?.apply(changes);
    for (const kind of KEYED) for (const [key] of changes[kind]) this.#note(kind, key, process);
  }

  /** What the others have, as far as it has changed since the last call for this process. */
  takeChangesFor(process: number): PlaceCounts {
    const untold = this.#untold.get(process);
    const changed = (kind: Keyed): [string, number][] => {
      const keys = [...(untold?.[kind] ?? [])];
      untold?.[kind].clear();
      return keys.map((key) => [key, this.#elsewhere(process, kind, key)]);
    };
    return { all: this.#elsewhere(process, 'all', ''), address: changed('address'), user: changed('user') };
  }

  #elsewhere(process: number, kind: PlaceKind, key: string): number {
    let sum = 0;
    for (const [other, places] of this.#processes) if (other !== process) sum += places.count(kind, key);
    return sum;
  }

  #note(kind: Keyed, key: string, process?: number): void {
    for (const [other, untold] of this.#untold) if (other !== process) untold[kind].add(key);
  }
}
