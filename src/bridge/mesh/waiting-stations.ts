import { TokenBucket } from '../token-bucket.ts';
import type { MeshStation } from './mesh-station.ts';

/** How many stations a node announces a second. More wait: until then their frames teach, as in any bridge. */
export const ANNOUNCEMENT_RATE = { perSecond: 2000, burst: 2000 } as const;

/**
 * The stations that wait to be announced. Ports take turns, so that one with invented addresses does not delay the stations
 * of another one. It has no more than the filtering database, since a station that goes leaves it.
 */
export class WaitingStations {
  readonly #byPort = new Map<object, Set<MeshStation>>();
  #bucket: TokenBucket | undefined;
  size = 0;

  add(station: MeshStation): void {
    let stations = this.#byPort.get(station.port);
    if (stations === undefined) {
      stations = new Set();
      this.#byPort.set(station.port, stations);
    }
    if (stations.has(station)) return;
    stations.add(station);
    this.size++;
  }

  /** @param port its port when it was added */
  remove(station: MeshStation, port: object): boolean {
    const stations = this.#byPort.get(port);
    if (stations?.delete(station) !== true) return false;
    this.size--;
    if (stations.size === 0) this.#byPort.delete(port);
    return true;
  }

  /** Takes up to `most` of them, within the rate. */
  take(most: number, nowMs: number): MeshStation[] {
    this.#bucket ??= new TokenBucket(ANNOUNCEMENT_RATE, nowMs);
    const taken: MeshStation[] = [];
    while (taken.length < most && this.size > 0 && this.#bucket.isOpen(nowMs)) {
      for (const [port, stations] of this.#byPort) {
        const [station] = stations;
        if (station === undefined || taken.length >= most || !this.#bucket.isOpen(nowMs)) break;
        this.remove(station, port);
        this.#bucket.take(1);
        taken.push(station);
      }
    }
    return taken;
  }
}
