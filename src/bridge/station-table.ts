import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';

/** What stands in a `StationTable`: one station, and its place there. */
export interface Station<T> {
  readonly vid: Vid;
  readonly mac: MacAddress;
  /** Kept by `StationTable`: the next one of the same bucket. */
  next: T | undefined;
}

/** log2 of the buckets that an empty table has. */
const MIN_BITS = 3;
/** Hashes are below this. */
const HASHES = 2 ** 32;

/**
 * A hash table (VID, MAC address) → station, chained through the stations.
 *
 * Each frame of a changing flow asks twice. A `Map` would take a key of 48 bits as an
 * object of its own, made for each look-up and hashed outside of JavaScript; and VID
 * and MAC address together exceed a safe integer. Here nothing is allocated.
 *
 * The hash is multiply-shift (Dietzfelbinger et al., 1997): with random odd factors any
 * two stations share a bucket about as rarely as random ones, whatever addresses a
 * peer makes up, since it does not know the factors.
 */
export class StationTable<T extends Station<T>> {
  #bits = MIN_BITS;
  #shift = 32 - MIN_BITS;
  #buckets: (T | undefined)[] = emptyBuckets(MIN_BITS);
  #size = 0;
  readonly #lowFactor = randomOdd();
  readonly #highFactor = randomOdd();

  get size(): number {
    return this.#size;
  }

  find(vid: Vid, mac: MacAddress): T | undefined {
    let station = this.#buckets[this.#bucketOf(vid, mac)];
    while (station !== undefined && (station.mac !== mac || station.vid !== vid)) station = station.next;
    return station;
  }

  /** @param station is in no table, and no other one has its VID and MAC address */
  add(station: T): void {
    this.#size++;
    if (this.#size > this.#buckets.length) this.#resize(this.#bits + 1);
    this.#put(station);
  }

  /** @param station is in this table */
  remove(station: T): void {
    const bucket = this.#bucketOf(station.vid, station.mac);
    const first = this.#buckets[bucket];
    if (first === station) this.#buckets[bucket] = station.next;
    else {
      let before = first;
      while (before !== undefined && before.next !== station) before = before.next;
      if (before !== undefined) before.next = station.next;
    }
    station.next = undefined;
    this.#size--;
    // Far below what `add` grows at, so that a size that goes up and down resizes rarely.
    if (this.#bits > MIN_BITS && this.#size < this.#buckets.length >> 3) this.#resize(this.#bits - 1);
  }

  /**
   * All stations, in the order of their hashes. The table may change between two of them: one that is there all the time
   * comes at least once, and twice only if the table has shrunk. One may come that was removed just before.
   */
  *scan(): IterableIterator<T> {
    const chain: T[] = [];
    for (let hash = 0; hash < HASHES; ) {
      const bucket = Math.floor(hash / 2 ** this.#shift);
      // The first hash behind the bucket. After the table has grown a bucket begins there; if it has shrunk, one has it.
      hash = (bucket + 1) * 2 ** this.#shift;
      for (let station = this.#buckets[bucket]; station !== undefined; station = station.next) chain.push(station);
      yield* chain;
      chain.length = 0;
    }
  }

  #bucketOf(vid: Vid, mac: MacAddress): number {
    const high = (vid << 16) | (mac / 0x1_0000_0000);
    return (Math.imul(mac | 0, this.#lowFactor) + Math.imul(high, this.#highFactor)) >>> this.#shift;
  }

  #put(station: T): void {
    const bucket = this.#bucketOf(station.vid, station.mac);
    station.next = this.#buckets[bucket];
    this.#buckets[bucket] = station;
  }

  #resize(bits: number): void {
    const before = this.#buckets;
    this.#bits = bits;
    this.#shift = 32 - bits;
    this.#buckets = emptyBuckets(bits);
    for (let station of before) {
      while (station !== undefined) {
        const { next }: T = station;
        this.#put(station);
        station = next;
      }
    }
  }
}

function emptyBuckets<T>(bits: number): (T | undefined)[] {
  return new Array(1 << bits).fill(undefined);
}

function randomOdd(): number {
  return Math.trunc(Math.random() * 0x1_0000_0000) | 1;
}
