import * as v from 'valibot';
import { OF_NETWORK } from '../schema/network-options.ts';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText, listOf } from '../schema/types.ts';
import { type EntryOf, fdbEntry, method } from './entries.ts';

/** The method about stations, and its result. */

/** A station: its entry in the filtering database, and what snooping knows of the host. Its texts have no control characters. */
export const stationEntry = atLeast({
  ...fdbEntry.entries,
  /** when it was learned first, in the form of ISO 8601; null for a static address that was set before it was seen */
  since: v.nullable(anyText),
  /** the IP addresses that it has claimed by ARP or neighbour discovery, or that DHCP has assigned to it; IPv4 first */
  addresses: listOf(anyText),
  /** the host name in DHCP; null: none was seen */
  hostname: v.nullable(anyText),
  /** the vendor of its MAC address, or `locally administered`; null: not known */
  vendor: v.nullable(anyText),
});
export type StationEntry = EntryOf<typeof stationEntry>;

/** A station as `observe` sends it. */
export type LiveStationEntry = Omit<StationEntry, 'age'> & {
  /** when it was last seen as a source, in the form of ISO 8601, whole seconds */
  readonly seen: string;
};

export const STATION_METHODS = {
  listStation: method(
    'Lists the stations with their IP addresses, names and vendors.',
    objectOf(OF_NETWORK),
    stationEntry,
  ),
} as const;
