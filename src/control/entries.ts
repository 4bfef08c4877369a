import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf, type Schema, tableOf } from '../schema/types.ts';

/**
 * What the methods of the control API answer. The entries are those of etherws
 * 1.x; fields were added, none was renamed or dropped. A field that this version
 * does not know is kept, so that a newer switch may say more.
 */

/** `withDefault`: for a switch of 1.x, which did not know the field. */
function withDefault<S extends Schema>(schema: S, fallback: v.InferOutput<S>) {
  return v.optional(schema as v.GenericSchema<unknown, v.InferOutput<S>>, () => fallback);
}

/** An entry's members that this version knows. */
type EntryOf<S> =
  S extends v.LooseObjectSchema<infer E, v.ErrorMessage<v.LooseObjectIssue> | undefined>
    ? v.InferOutput<v.ObjectSchema<E, undefined>>
    : never;

const count = integer(0);
/** Ports count from 1 upward. */
const portNumber = integer(1);

const PORT_STATES = ['shut', 'standby', 'connecting', 'up', 'down', 'backoff', 'away', 'closed'] as const;

/** A port, as `listPort`, `addPort`, `setPort` and `delPort` answer. */
export const portEntry = atLeast({
  port: portNumber,
  type: anyText,
  target: anyText,
  /** frames sent and received */
  tx: count,
  rx: count,
  shut: flag,
  /** `shut` when the operator shut it, `standby` behind a parallel tunnel, else what its link does */
  state: withDefault(oneOf(PORT_STATES), 'up'),
  /** why it is not up; null when it is */
  reason: withDefault(v.nullable(anyText), null),
  txOctets: withDefault(count, 0),
  rxOctets: withDefault(count, 0),
  /** frames dropped, by reason; reasons that never occurred are not listed */
  txDiscards: withDefault(tableOf(count), {}),
  rxDiscards: withDefault(tableOf(count), {}),
  /** what a tunnel speaks; null for other ports */
  wire: withDefault(v.nullable(oneOf(['raw', 'batched'])), null),
  /** the last measured round trip of a tunnel; null before the first, and for other ports */
  roundTripMs: withDefault(v.nullable(measure), null),
  /** the URL that a client port is connected to, where it is not its target; else null */
  url: withDefault(v.nullable(anyText), null),
  /** the network namespace that a device is in, where it is not the switch's own; else null */
  netns: withDefault(v.nullable(anyText), null),
});
export type PortEntry = EntryOf<typeof portEntry>;

/** The device of a tap or netdev port; `address` and `netmask` are the primary IPv4 address, `""` without one. */
export const interfaceEntry = atLeast({
  port: portNumber,
  type: anyText,
  target: anyText,
  address: withDefault(anyText, ''),
  netmask: withDefault(anyText, ''),
  mtu: count,
  /** every address, as `ADDRESS/LENGTH` */
  addresses: withDefault(listOf(anyText), []),
  /** the network namespace that the device is in, where it is not the switch's own; else null */
  netns: withDefault(v.nullable(anyText), null),
});
export type InterfaceEntry = EntryOf<typeof interfaceEntry>;

/** A learned address. */
export const fdbEntry = atLeast({
  vid: count,
  mac: anyText,
  port: portNumber,
  /** seconds since the address was last seen as a source */
  age: count,
  /** how often it has moved from one port to another since it was learned */
  moves: withDefault(count, 0),
  /** the port that it left last; null when it never moved */
  movedFrom: withDefault(v.nullable(portNumber), null),
  /** whether it moved more than ten times within the last minute */
  flapping: withDefault(flag, false),
});
export type FdbEntry = EntryOf<typeof fdbEntry>;

/** What was counted at the endpoint of a service since the switch started. */
export const endpointEntry = atLeast({
  service: oneOf(['tunnels', 'control']),
  /** how often each bound was met, by its name; see docs/control-api.md */
  counters: tableOf(count),
});
export type EndpointEntry = EntryOf<typeof endpointEntry>;
