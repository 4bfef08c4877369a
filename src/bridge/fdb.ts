import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { BridgePort } from './bridge-port.ts';
import { append, type Node, type Share, unlink } from './fdb-share.ts';
import type { EntryKind, FilteringEntry, FlushScope, StationWatcher, Told } from './filtering-entry.ts';
import { LargestFirst } from './largest-first.ts';
import { LazyMap } from './lazy-map.ts';
import { Moves } from './moves.ts';
import { StationTable } from './station-table.ts';
import type { HostFacts } from './stations/host-facts.ts';

export type { FilteringEntry } from './filtering-entry.ts';

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
  /** Called when the entry is removed whose `host` it is. */
  onHostEnded?: (facts: HostFacts) => void;
}

/**
 * The filtering database (IEEE 802.1Q-2022, 8.8): (VID, MAC address) → port.
 *
 * The entries are in one hash table. The entries that age
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
  readonly #onHostEnded: FilteringDatabaseOptions['onHostEnded'];
  readonly #stations = new StationTable<Node>();
  readonly #byPort = new LazyMap<BridgePort, Share>();
  readonly #shares = new LargestFirst<Share>();
  /** The static entries by port. They are in no share of #byPort, so that they neither age nor are displaced. */
  readonly #static = new LazyMap<BridgePort, Share>();
  /** Those that nodes have told, by port. They do not age, but are displaced like learned ones. */
  readonly #told = new LazyMap<BridgePort, Share>();
  /** The mesh of the network; undefined: it has none. */
  watcher: StationWatcher | undefined;
  /** How many entries were displaced before their ageing time. */
  displaced = 0;

  constructor(options: FilteringDatabaseOptions) {
    this.#ageingTimeMs = options.ageingTimeMs;
    this.#capacity = options.capacity;
    this.#onLearned = options.onLearned;
    this.#onMoved = options.onMoved;
    this.#onEvicted = options.onEvicted;
    this.#onHostEnded = options.onHostEnded;
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

  /** The number of entries of a port. */
  sizeAt(port: BridgePort): number {
    return [this.#byPort, this.#static, this.#told].reduce((sum, shares) => sum + (shares.get(port)?.size ?? 0), 0);
  }

  /** Learns or refreshes `mac` at `port`. The caller has excluded group addresses. */
  learn(vid: Vid, mac: MacAddress, port: BridgePort, nowMs: number): void {
    const known = this.#stations.find(vid, mac);
    if (known === undefined) {
      const share = this.#shareOf(port, 'learned');
      if (this.#stations.size >= this.#capacity) this.#evict(share, nowMs);
      const entry = this.#insert(vid, mac, port, 'learned', share, nowMs);
      this.#onLearned?.(entry);
      this.watcher?.appeared(entry);
      return;
    }
    if (known.port === port) {
      known.seenMs = nowMs;
      if (known !== known.share.newest) {
        unlink(known);
        append(known);
      }
      return;
    }
    if (this.#isValid(known, nowMs) && !mayMove(known, port)) return;
    const { kind: was, port: from } = known;
    known.seenMs = nowMs;
    this.#move(known, port, 'learned', nowMs);
    this.watcher?.moved(known, from, was);
  }

  /**
   * Sets what the node behind a port tells of a station, whatever was known of it. The caller has excluded group addresses,
   * and has decided that the node knows it best.
   */
  tell(vid: Vid, mac: MacAddress, port: BridgePort, told: Told, nowMs: number): FilteringEntry {
    const { seenMs } = told;
    let entry = this.#stations.find(vid, mac);
    if (entry === undefined) {
      const share = this.#shareOf(port, 'told');
      if (this.#stations.size >= this.#capacity) this.#evict(share, nowMs);
      entry = this.#insert(vid, mac, port, 'told', share, seenMs);
    } else {
      entry.seenMs = seenMs;
      this.#move(entry, port, 'told', nowMs);
    }
    entry.sequence = told.sequence;
    entry.isHeld = told.isHeld;
    entry.isIsolated = told.isIsolated;
    return entry;
  }

  /** The port of `mac`; undefined if it is unknown or expired. */
  lookup(vid: Vid, mac: MacAddress, nowMs: number): BridgePort | undefined {
    const entry = this.#stations.find(vid, mac);
    return entry !== undefined && this.#isValid(entry, nowMs) ? entry.port : undefined;
  }

  /** Whether learning `mac` at `port` would give the port more than `limit` entries that age; `limit` is at least 1. */
  isBeyond(limit: number, vid: Vid, mac: MacAddress, port: BridgePort, nowMs: number): boolean {
    const share = this.#byPort.get(port);
    if (share === undefined || share.size < limit) return false;
    if (this.lookup(vid, mac, nowMs) === port) return false;
    let size = share.size;
    // Entries that have expired and are not removed yet do not count.
    for (let entry = share.oldest; entry !== undefined && !this.#isValid(entry, nowMs); entry = entry.newer) {
      if (--size < limit) return false;
    }
    return true;
  }

  /**
   * Sets an entry of the operator, instead of one with the same VID and address; what is known about the station stays.
   * @returns it; undefined: there are as many static entries as the capacity allows, and nothing was changed
   */
  set(vid: Vid, mac: MacAddress, port: BridgePort, kind: EntryKind, nowMs: number): FilteringEntry | undefined {
    const known = this.#stations.find(vid, mac);
    if (known?.kind !== 'static' && kind === 'static' && this.staticSize + 1 >= this.#capacity) return undefined;
    const { host, learnedMs = nowMs } = known ?? {};
    const sequence = known === undefined ? 0 : known.sequence + (known.kind === 'told' ? 1 : 0);
    if (known !== undefined) {
      known.host = undefined;
      this.#remove(known);
    }
    if (this.#stations.size >= this.#capacity) this.#evict(this.#shareOf(port, 'learned'), nowMs);
    const entry = this.#insert(vid, mac, port, kind, this.#shareOf(port, kind), nowMs);
    entry.host = host;
    entry.learnedMs = learnedMs;
    entry.sequence = sequence;
    this.watcher?.appeared(entry);
    return entry;
  }

  find(vid: Vid, mac: MacAddress): FilteringEntry | undefined {
    return this.#stations.find(vid, mac);
  }

  /** Removes the entry of `mac`, of any kind. @returns the removed one; undefined: there was none */
  delete(vid: Vid, mac: MacAddress): FilteringEntry | undefined {
    const entry = this.#stations.find(vid, mac);
    if (entry !== undefined) this.#remove(entry);
    return entry;
  }

  /** Removes all entries that are not static, within a scope. @param onRemoved called for each. @returns their number */
  flush({ port, vid }: FlushScope, onRemoved?: (entry: FilteringEntry) => void): number {
    let removed = 0;
    const told = port === undefined ? [] : this.#told;
    for (const [holder, share] of [...this.#byPort, ...told]) {
      if (port !== undefined && holder !== port) continue;
      for (let entry = share.oldest; entry !== undefined; ) {
        const { newer }: Node = entry;
        if (vid === undefined || entry.vid === vid) {
          this.#remove(entry);
          onRemoved?.(entry);
          removed++;
        }
        entry = newer;
      }
    }
    return removed;
  }

  /** All entries of ports that are asked for, expired ones included. */
  *entriesOf(isWanted: (port: BridgePort) => boolean): IterableIterator<FilteringEntry> {
    for (const shares of [this.#static, this.#byPort]) {
      for (const [port, share] of shares) {
        for (let entry = isWanted(port) ? share.oldest : undefined; entry !== undefined; entry = entry.newer)
          yield entry;
      }
    }
  }

  /** The entries that the node behind a port has told. */
  *toldAt(port: BridgePort): IterableIterator<FilteringEntry> {
    for (let entry = this.#told.get(port)?.oldest; entry !== undefined; entry = entry.newer) yield entry;
  }

  /** The number of static entries. */
  get staticSize(): number {
    let size = 0;
    for (const share of this.#static.values()) size += share.size;
    return size;
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

  /** Removes all entries of `port`, also static ones. */
  removePort(port: BridgePort): void {
    this.removeStatic(port);
    this.forgetPort(port);
  }

  /** Removes the static entries of `port`. @param isKept default: none is kept */
  removeStatic(port: BridgePort, isKept: (entry: FilteringEntry) => boolean = () => false): void {
    const share = this.#static.get(port);
    for (let entry = share?.oldest; entry !== undefined; ) {
      const { newer }: Node = entry;
      if (!isKept(entry)) this.#remove(entry);
      entry = newer;
    }
    if (share?.size === 0) this.#static.delete(port);
  }

  /** Removes the entries of `port` that are not static. */
  forgetPort(port: BridgePort): void {
    for (const shares of [this.#byPort, this.#told]) {
      const share = shares.get(port);
      if (share === undefined) continue;
      while (share.oldest !== undefined) this.#remove(share.oldest);
      shares.delete(port);
      this.#shares.remove(share);
    }
  }

  /**
   * All entries that have not expired: first the static ones, then by port, and for each port from the least recently
   * seen one on.
   */
  *entries(nowMs: number): IterableIterator<FilteringEntry> {
    for (const shares of [this.#static, this.#told, this.#byPort]) {
      for (const share of shares.values()) {
        for (let entry = share.oldest; entry !== undefined; entry = entry.newer) {
          if (this.#isValid(entry, nowMs)) yield entry;
        }
      }
    }
  }

  /**
   * All entries that have not expired, in any order. The database may change between two of them: an entry that is there
   * all the time comes at least once, and mostly once.
   */
  *scan(now: () => number): IterableIterator<FilteringEntry> {
    for (const entry of this.#stations.scan()) if (this.#isValid(entry, now())) yield entry;
  }

  /** The entries of a port that have not expired: static ones, then from the most recently seen one on. */
  *entriesAt(port: BridgePort, nowMs: number): IterableIterator<FilteringEntry> {
    for (const shares of [this.#static, this.#told]) {
      for (let entry = shares.get(port)?.newest; entry !== undefined; entry = entry.older) yield entry;
    }
    for (let entry = this.#byPort.get(port)?.newest; entry !== undefined; entry = entry.older) {
      if (nowMs - entry.seenMs >= this.#ageingTimeMs) return;
      yield entry;
    }
  }

  #isValid(entry: Node, nowMs: number): boolean {
    return nowMs - entry.seenMs < this.#ageingTimeMs || entry.kind === 'static' || entry.kind === 'told';
  }

  #shareOf(port: BridgePort, kind: EntryKind): Share {
    const shares = kind === 'static' ? this.#static : kind === 'told' ? this.#told : this.#byPort;
    let share = shares.get(port);
    if (share === undefined) {
      share = { size: 0, place: 0, oldest: undefined, newest: undefined };
      shares.set(port, share);
      if (kind !== 'static') this.#shares.add(share);
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

  #insert(vid: Vid, mac: MacAddress, port: BridgePort, kind: EntryKind, share: Share, seenMs: number): Node {
    const entry: Node = {
      vid,
      mac,
      port,
      kind,
      seenMs,
      flowUntilMs: 0,
      learnedMs: seenMs,
      moves: undefined,
      sequence: 0,
      isHeld: false,
      isAnnounced: false,
      isIsolated: false,
      host: undefined,
      share,
      older: undefined,
      newer: undefined,
      next: undefined,
    };
    this.#stations.add(entry);
    append(entry);
    if (kind === 'static') share.size++;
    else this.#shares.grow(share);
    return entry;
  }

  /** Makes an entry the most recently seen one of a kind at a port. Another port than before is a move. */
  #move(entry: Node, port: BridgePort, kind: EntryKind, nowMs: number): void {
    const { port: from } = entry;
    unlink(entry);
    if (entry.kind === 'static') entry.share.size--;
    else this.#shares.shrink(entry.share);
    entry.port = port;
    entry.kind = kind;
    entry.share = this.#shareOf(port, kind);
    append(entry);
    this.#shares.grow(entry.share);
    if (from === port) return;
    entry.moves ??= new Moves(from.number);
    entry.moves.note(from.number, nowMs);
    this.#onMoved?.(entry, entry.moves, nowMs);
  }

  #remove(entry: Node): void {
    if (entry.host !== undefined) this.#onHostEnded?.(entry.host);
    this.#stations.remove(entry);
    unlink(entry);
    if (entry.kind === 'static') entry.share.size--;
    else this.#shares.shrink(entry.share);
    this.watcher?.gone(entry);
  }
}

/** Whether an entry may move to a port at which its address is seen. */
function mayMove({ kind, isHeld, port: from }: Node, port: BridgePort): boolean {
  // What comes from another node is no reason to move a station of this node, or one that a node has told.
  if (port.meshNode !== undefined) return kind === 'learned' && from.meshNode !== undefined;
  return kind === 'learned' || (kind === 'told' && !isHeld);
}
