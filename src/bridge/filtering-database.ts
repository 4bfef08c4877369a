import type { MacAddress } from '../wire/mac-address.ts';
import type { Vid } from '../wire/vid.ts';
import type { BridgePort } from './bridge-port.ts';

/** One dynamic entry (IEEE 802.1Q-2022, 8.8.3): where this address was last seen as a source. */
export interface FilteringEntry {
  readonly vid: Vid;
  readonly mac: MacAddress;
  readonly port: BridgePort;
  readonly seenMs: number;
}

interface Node extends FilteringEntry {
  port: BridgePort;
  seenMs: number;
  older: Node | undefined;
  newer: Node | undefined;
}

export interface FilteringDatabaseOptions {
  /** How long an entry stays without being refreshed, 802.1Q's ageing time. */
  ageingTimeMs: number;
  /** The most entries that are kept; beyond it the one longest unseen goes. A flood of made-up addresses costs no more memory than this. */
  capacity: number;
}

/** What learning an address came to. `refreshed` is the common case. */
export type Learned = 'new' | 'moved' | 'refreshed';

/**
 * The filtering database (IEEE 802.1Q-2022, 8.8): (VID, MAC address) → port.
 *
 * One map per VID, because VID and MAC together exceed a safe integer. All
 * entries also stand in one list from the longest unseen to the latest seen, so
 * that ageing and eviction touch only what goes.
 */
export class FilteringDatabase {
  readonly #ageingTimeMs: number;
  readonly #capacity: number;
  readonly #byVid = new Map<Vid, Map<MacAddress, Node>>();
  #oldest: Node | undefined;
  #newest: Node | undefined;
  #size = 0;
  /** Entries that made room for others before their time. */
  evictions = 0;

  constructor(options: FilteringDatabaseOptions) {
    this.#ageingTimeMs = options.ageingTimeMs;
    this.#capacity = options.capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** Notes that `mac` was a source on `port`. The caller has excluded group addresses. */
  learn(vid: Vid, mac: MacAddress, port: BridgePort, nowMs: number): Learned {
    let addresses = this.#byVid.get(vid);
    if (addresses === undefined) {
      addresses = new Map();
      this.#byVid.set(vid, addresses);
    }
    const known = addresses.get(mac);
    if (known !== undefined) {
      const moved = known.port !== port;
      known.port = port;
      known.seenMs = nowMs;
      if (known !== this.#newest) {
        this.#unlink(known);
        this.#append(known);
      }
      return moved ? 'moved' : 'refreshed';
    }
    if (this.#size >= this.#capacity && this.#oldest !== undefined) {
      // The map of this VID may be the one that empties: keep it alive by adding first.
      this.evictions++;
      const evicted = this.#oldest;
      this.#insert(addresses, vid, mac, port, nowMs);
      this.#remove(evicted);
      return 'new';
    }
    this.#insert(addresses, vid, mac, port, nowMs);
    return 'new';
  }

  /** The port behind `mac`, or undefined when it is unknown or has aged out. */
  lookup(vid: Vid, mac: MacAddress, nowMs: number): BridgePort | undefined {
    const entry = this.#byVid.get(vid)?.get(mac);
    return entry !== undefined && nowMs - entry.seenMs < this.#ageingTimeMs ? entry.port : undefined;
  }

  /** Forgets what has aged out; `onAged` is told of each. */
  age(nowMs: number, onAged?: (entry: FilteringEntry) => void): void {
    for (;;) {
      const entry = this.#oldest;
      if (entry === undefined || nowMs - entry.seenMs < this.#ageingTimeMs) return;
      this.#remove(entry);
      onAged?.(entry);
    }
  }

  /** Forgets every entry of `port`. */
  forgetPort(port: BridgePort): void {
    for (let entry = this.#oldest; entry !== undefined; ) {
      const next: Node | undefined = entry.newer;
      if (entry.port === port) this.#remove(entry);
      entry = next;
    }
  }

  /** All entries that have not aged out, the longest unseen first. */
  *entries(nowMs: number): IterableIterator<FilteringEntry> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer) {
      if (nowMs - entry.seenMs < this.#ageingTimeMs) yield entry;
    }
  }

  #insert(addresses: Map<MacAddress, Node>, vid: Vid, mac: MacAddress, port: BridgePort, seenMs: number): void {
    const entry: Node = { vid, mac, port, seenMs, older: undefined, newer: undefined };
    addresses.set(mac, entry);
    this.#append(entry);
    this.#size++;
  }

  #remove(entry: Node): void {
    const addresses = this.#byVid.get(entry.vid);
    addresses?.delete(entry.mac);
    if (addresses?.size === 0) this.#byVid.delete(entry.vid);
    this.#unlink(entry);
    this.#size--;
  }

  #append(entry: Node): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Node): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}
