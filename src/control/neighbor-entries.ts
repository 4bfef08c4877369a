import * as v from 'valibot';
import { OF_NETWORK } from '../schema/network-options.ts';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText, integer, listOf } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';

/** The method about neighbours by LLDP, and its result. */

/** What a neighbour said last of itself. Its texts have no control characters. */
export const neighborEntry = atLeast({
  network: anyText,
  /** our port, and its name; null without one */
  port: integer(1),
  portName: v.nullable(anyText),
  /** the name of the neighbour; null if it says none, as for all members that may be null */
  system: v.nullable(anyText),
  /** its chassis ID and port ID: addresses, names, or `0x…` */
  chassis: anyText,
  neighborPort: anyText,
  neighborPortDescription: v.nullable(anyText),
  systemDescription: v.nullable(anyText),
  /** those that are enabled: `bridge`, `router`, … */
  capabilities: listOf(anyText),
  managementAddresses: listOf(anyText),
  /** 0: its port has none */
  portVlanId: v.nullable(integer(0)),
  /** seconds since its first LLDPDU, and until it is forgotten */
  age: integer(0),
  ttl: integer(0),
});
export type NeighborEntry = EntryOf<typeof neighborEntry>;

export const NEIGHBOR_METHODS = {
  listNeighbor: method('Lists the neighbours that LLDP has found.', objectOf(OF_NETWORK), neighborEntry),
} as const;
