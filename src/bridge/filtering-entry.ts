import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { BridgePort } from './bridge-port.ts';
import type { Moves } from './moves.ts';

/**
 * How an entry came, and what ends it.
 *
 * - `learned`: a dynamic filtering entry (IEEE 802.1Q-2022, 8.8.3). It moves to the port at which its address is seen,
 *   and ages.
 * - `sticky`: set by the operator. It ages, but does not move while it exists (bridge(8): `dynamic sticky`).
 * - `static`: set by the operator (8.8.1). It neither moves nor ages (bridge(8): `static sticky`).
 */
export const ENTRY_KINDS = ['learned', 'sticky', 'static'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** A filtering entry (IEEE 802.1Q-2022, 8.8): the port that frames for an address are sent by. */
export interface FilteringEntry {
  readonly vid: Vid;
  readonly mac: MacAddress;
  readonly port: BridgePort;
  readonly kind: EntryKind;
  /** When the address was last seen at the port as a source; for an entry of the operator at first when it was set. */
  readonly seenMs: number;
  /** The latest expiry of flows from or to the station; 0 without one. */
  readonly flowUntilMs: number;
  /** Its moves between ports; undefined until the first. */
  readonly moves: Moves | undefined;
}

/** The result of learning an address; mostly `refreshed`. `held`: the entry is at another port and does not move. */
export type Learned = 'new' | 'moved' | 'refreshed' | 'held';

/** Which entries `flush` removes; absent: of each port, of each VID. */
export interface FlushScope {
  readonly port?: BridgePort | undefined;
  readonly vid?: Vid | undefined;
}
