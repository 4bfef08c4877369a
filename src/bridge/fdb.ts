import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { BridgePort } from './bridge-port.ts';
import { LargestFirst, type Sized } from './largest-first.ts';
import { Moves } from './moves.ts';
import { type Station, StationTable } from './station-table.ts';

/** A dynamic filtering entry (IEEE 802.1Q-2022, 8.8.3): the port at which an address was last seen as a source. */
export interface FilteringEntry {
  readonly vid: Vid;
  readonly mac: MacAddress;
  readonly port: BridgePort;
  readonly seenMs: number;
  /** The latest expiry of flows from or to the station; 0 without one. */
  readonly flowUntilMs: number;
  /** Its moves between ports; undefined until the first. */
  readonly moves: Moves | undefined;
}

interface Node extends FilteringEntry, Station<Node> {
  port: BridgePort;
  seenMs: number;
  flowUntilMs: number;
  moves: Moves | undefined;
  share: Share;
  older: Node | undefined;
  newer: Node | undefined;
}

/** The entries of one port, in a list from the least to the most recently seen. */
interface Share extends Sized {
  oldest: Node | undefined;
  newest: Node | undefined;
}

export interface FilteringDatabaseOptions {
  /** For how long an entry stays without being refreshed (ageing time). */
  ageingTimeMs: number;
  /** The most entries, which bounds the memory that invented addresses can take. */
  capacity: number;
  /** Called for a new entry. */
  onLearned?: (entry: FilteringEntry) => void;
  /** Called for an entry that has moved to another port. */
  onMoved?: (entry: FilteringEntry, moves: Moves, nowMs: number) => void;
  /** Called for an entry that was displaced before its ageing time. */
  onEvicted?: (entry: FilteringEntry, nowMs: number) => void;
}

/** The result of learning an address; mostly `refreshed`. */
export type Learned = 'new' | 'moved' | 'refreshed';

/**
 * The filtering database (IEEE 802.1Q-2022, 8.8): (VID, MAC address) → port.
 *
 * The entries are in one hash table. The entries
 * of each port are also in a list from the least to the most recently seen, so
 * that ageing and eviction touch only the entries that they remove.
 *
 * When it is full, the port with most entries loses its least recently seen one. So a port
 * with invented addresses displaces its own entries, and those of
 * another port only while that has more. Finding the port takes O(log ports).
 */
export class FilteringDatabase {
  #ageingTimeMs: number;
  /** The most entries. */
  #capacity: number;
  readonly #onLearned: FilteringDatabaseOptions['onLearned'];
  readonly #onMoved: FilteringDatabaseOptions['onMoved'];
  readonly #onEvicted: FilteringDatabaseOptions['onEvicted'];
  readonly #stations = new StationTable<Node>();
  readonly #byPort = new Map<BridgePort, Share>();
  readonly #shares = new LargestFirst<Share>();
  /** How many entries were displaced before their ageing time. */
  displaced = 0;

  constructor(options: FilteringDatabaseOptions) {
    this.#ageingTimeMs = options.ageingTimeMs;
    this.#capacity = options.capacity;
    this.#onLearned = options.onLearned;
    this.#onMoved = options.onMoved;
    this.#onEvicted = options.onEvicted;
  }

  get capacity(): number {
    return this.#capacity;
  }

  setAgeingTime(ageingTimeMs: number): void {
    this.#ageingTimeMs = ageingTimeMs;
  }

  /** Evicts what is beyond the capacity, of the ports with most entries first. */
  setCapacity(capacity: number, nowMs: number): void {
    this.#capacity = capacity;
    while (this.#stations.size > capacity) {
      const { oldest } = this.#shares.largest ?? {};
      if (oldest === undefined) break;
      this.#remove(oldest);
      this.#onEvicted?.(oldest, nowMs);
    }
  }

  get size(): number {
    return this.#stations.size;
  }

  /** Learns or refreshes `mac` at `port`. The caller has excluded group addresses. */
  learn(vid: Vid, mac: MacAddress, port: BridgePort, nowMs: number): Learned {
    const known = this.#stations.find(vid, mac);
    if (known === undefined) {
      const share = this.#shareOf(port);
      if (this.#stations.size >= this.#capacity) this.#evict(share, nowMs);
      const entry = this.#insert(vid, mac, port, share, nowMs);
      this.#onLearned?.(entry);
      return 'new';
    }
    known.seenMs = nowMs;
    if (known.port === port) {
      if (known !== known.share.newest) {
        unlink(known);
        append(known);
      }
      return 'refreshed';
    }
    const from = known.port.number;
    this.#move(known, port);
    known.moves ??= new Moves(from);
    known.moves.note(from, nowMs);
    this.#onMoved?.(known, known.moves, nowMs);
    return 'moved';
  }

  /** The port at which `mac` was learned; undefined if it is unknown or expired. */
  lookup(vid: Vid, mac: MacAddress, nowMs: number): BridgePort | undefined {
    const entry = this.#stations.find(vid, mac);
    return entry !== undefined && nowMs - entry.seenMs < this.#ageingTimeMs ? entry.port : undefined;
  }

  /** Notes a flow from or to this station that expires at `untilMs`. */
  noteFlow(vid: Vid, mac: MacAddress, untilMs: number): void {
    const entry = this.#stations.find(vid, mac);
    if (entry !== undefined) entry.flowUntilMs = untilMs;
  }

  /** Removes expired entries. @param onAged called for each */
  age(nowMs: number, onAged?: (entry: FilteringEntry) => void): void {
    for (const share of this.#byPort.values()) {
      for (;;) {
        const { oldest } = share;
        if (oldest === undefined || nowMs - oldest.seenMs < this.#ageingTimeMs) break;
        this.#remove(oldest);
        onAged?.(oldest);
      }
    }
  }

  /** Removes all entries of `port`. */
  forgetPort(port: BridgePort): void {
    const share = this.#byPort.get(port);
    if (share === undefined) return;
    while (share.oldest !== undefined) this.#remove(share.oldest);
    this.#byPort.delete(port);
    this.#shares.remove(share);
  }

  /** All entries that have not expired, by port, and for each port from the least recently seen one on. */
  *entries(nowMs: number): IterableIterator<FilteringEntry> {
    for (const share of this.#byPort.values()) {
      for (let entry = share.oldest; entry !== undefined; entry = entry.newer) {
        if (nowMs - entry.seenMs < this.#ageingTimeMs) yield entry;
      }
    }
  }

  /** The entries of a port that have not expired, from the most recently seen one on. */
  *entriesAt(port: BridgePort, nowMs: number): IterableIterator<FilteringEntry> {
    for (let entry = this.#byPort.get(port)?.newest; entry !== undefined; entry = entry.older) {
      if (nowMs - entry.seenMs >= this.#ageingTimeMs) return;
      yield entry;
    }
  }

  #shareOf(port: BridgePort): Share {
    let share = this.#byPort.get(port);
    if (share === undefined) {
      share = { size: 0, place: 0, oldest: undefined, newest: undefined };
      this.#byPort.set(port, share);
      this.#shares.add(share);
    }
    return share;
  }

  /** Removes an entry to make room for one of `learner`: its own, unless another port has more than it then would. */
  #evict(learner: Share, nowMs: number): void {
    const { largest = learner } = this.#shares;
    const { oldest: evicted } = learner.size > 0 && learner.size + 1 >= largest.size ? learner : largest;
    if (evicted === undefined) return;
    this.#remove(evicted);
    this.displaced++;
    this.#onEvicted?.(evicted, nowMs);
  }

  #insert(vid: Vid, mac: MacAddress, port: BridgePort, share: Share, seenMs: number): Node {
    const entry: Node = {
      vid,
      mac,
      port,
      seenMs,
      flowUntilMs: 0,
      moves: undefined,
      share,
      older: undefined,
      newer: undefined,
      next: undefined,
    };
    this.#stations.add(entry);
    append(entry);
    this.#shares.grow(share);
    return entry;
  }

  #move(entry: Node, port: BridgePort): void {
    unlink(entry);
    this.#shares.shrink(entry.share);
    entry.port = port;
    entry.share = this.#shareOf(port);
    append(entry);
    this.#shares.grow(entry.share);
  }

  #remove(entry: Node): void {
    this.#stations.remove(entry);
    unlink(entry);
    this.#shares.shrink(entry.share);
  }
}

function append(entry: Node): void {
  const { share } = entry;
  entry.older = share.newest;
  entry.newer = undefined;
  if (share.newest === undefined) share.oldest = entry;
  else share.newest.newer = entry;
  share.newest = entry;
}

function unlink(entry: Node): void {
  const { share, older, newer } = entry;
  if (older === undefined) share.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) share.newest = older;
  else newer.older = older;
}
