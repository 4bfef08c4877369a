import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { BridgePort } from './bridge-port.ts';
import type { Moves } from './moves.ts';
import type { HostFacts } from './stations/host-facts.ts';

/**
 * How an entry came, and what ends it.
 *
 * - `learned`: a dynamic filtering entry (IEEE 802.1Q-2022, 8.8.3). It moves to the port at which its address is seen,
 *   and ages.
 * - `sticky`: set by the operator. It ages, but does not move while it exists (bridge(8): `dynamic sticky`).
 * - `static`: set by the operator (8.8.1). It neither moves nor ages (bridge(8): `static sticky`).
 * - `told`: set by the node of the cluster behind its port (bridge(8): `extern_learn`). It does not age while the port is
 *   up, and moves to a port of stations at which its address is seen.
 */
export type EntryKind = 'learned' | 'sticky' | 'static' | 'told';

/** A filtering entry (IEEE 802.1Q-2022, 8.8): the port that frames for an address are sent by. */
export interface FilteringEntry {
  readonly vid: Vid;
  readonly mac: MacAddress;
  readonly port: BridgePort;
  readonly kind: EntryKind;
  /** When the address was last seen at the port as a source; for an entry of the operator at first when it was set. */
  readonly seenMs: number;
  /** When it was learned first, or set; 0 for one that was set before that. A move does not change it. */
  readonly learnedMs: number;
  /** The latest expiry of flows from or to the station; 0 without one. */
  readonly flowUntilMs: number;
  /** Its moves between ports; undefined until the first. */
  readonly moves: Moves | undefined;
  /**
   * How often the station has moved between nodes of the cluster (MAC mobility sequence number, RFC 7432, 15); 0 without
   * one. Changed by the mesh only, as the three below.
   */
  sequence: number;
  /** For a `told` one: the node that has told it has set it, so it does not move (RFC 7432, 15.2). */
  isHeld: boolean;
  /** For others: the other nodes were told of it. */
  isAnnounced: boolean;
  /** Whether it is at an isolated port, as the nodes were told, or as its node has told. */
  isIsolated: boolean;
  /** What snooping knows about the station; undefined: nothing. */
  host: HostFacts | undefined;
}

/** What a node tells of a station. */
export interface Told {
  readonly sequence: number;
  readonly isHeld: boolean;
  readonly isIsolated: boolean;
  /** When the node has seen its address last. */
  readonly seenMs: number;
}

/** Told of each change of the stations of a filtering database; not of the ones that the mesh makes by itself. */
export interface StationWatcher {
  appeared(entry: FilteringEntry): void;
  /** @param from its former port. @param was its former kind */
  moved(entry: FilteringEntry, from: BridgePort, was: EntryKind): void;
  gone(entry: FilteringEntry): void;
}

/** Which entries `flush` removes; absent: of each port, of each VID. Those that a node has told only go with their port. */
export interface FlushScope {
  readonly port?: BridgePort | undefined;
  readonly vid?: Vid | undefined;
}
