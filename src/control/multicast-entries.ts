import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, integer, oneOf } from '../schema/types.ts';
import { type EntryOf, method, ofNetwork } from './entries.ts';

/** The multicast database, in the results of `listMdb`. */

const count = integer(0);

/** A membership, a router port or a querier. */
export const mdbEntry = atLeast({
  kind: oneOf(['member', 'router', 'querier']),
  /** the VLAN; 0 without a tag */
  vid: count,
  /** of a member its group; of a router all groups, 224.0.0.0/4 or ff00::/8; of a querier its address */
  address: anyText,
  /** null for the switch as a querier, and for a querier whose port is gone */
  port: v.nullable(integer(1)),
  portName: v.nullable(anyText),
  /** seconds until it expires, unless it is refreshed; null: it does not expire */
  expires: v.nullable(count),
  /** the name of its network */
  network: anyText,
});
export type MdbEntry = EntryOf<typeof mdbEntry>;

export const MULTICAST_METHODS = {
  listMdb: method('Lists members of multicast groups, router ports and queriers.', ofNetwork, mdbEntry),
} as const;
