import * as v from 'valibot';
import { OF_NETWORK } from '../schema/network-options.ts';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf, type Schema, tableOf } from '../schema/types.ts';

/**
 * The results of the methods of the control API, and the methods without parameters. The entries have the fields of
 * etherws 1.x and further ones; no field of 1.x was renamed or removed. Unknown fields
 * are kept, since a newer switch may send some.
 */

/** A field that a switch of 1.x does not send. */
function withDefault<S extends Schema>(schema: S, fallback: v.InferOutput<S>) {
  return v.optional(schema as v.GenericSchema<unknown, v.InferOutput<S>>, () => fallback);
}

/** The type of an entry, with its known members only. */
export type EntryOf<S> =
  S extends v.LooseObjectSchema<infer E, v.ErrorMessage<v.LooseObjectIssue> | undefined>
    ? v.InferOutput<v.ObjectSchema<E, undefined>>
    : never;

const count = integer(0);
/** Ports are numbered from 1. */
const portNumber = integer(1);

const PORT_STATES = [
  'shut',
  'standby',
  'connecting',
  'up',
  'down',
  'backoff',
  'away',
  'closed',
  'discarding',
  'learning',
] as const;

/** A port, in the results of `listPort`, `addPort`, `setPort` and `delPort`. */
export const portEntry = atLeast({
  port: portNumber,
  type: anyText,
  target: anyText,
  /** frames sent and received */
  tx: count,
  rx: count,
  shut: flag,
  /** `shut` if shut by the operator, or with a reason by the switch, `standby` if a parallel tunnel forwards, `discarding` or `learning` by spanning tree, else the state of its link */
  state: withDefault(oneOf(PORT_STATES), 'up'),
  /** why it is not up; null if it is */
  reason: withDefault(v.nullable(anyText), null),
  txOctets: withDefault(count, 0),
  rxOctets: withDefault(count, 0),
  /** frames discarded, by reason; only reasons that have occurred */
  txDiscards: withDefault(tableOf(count), {}),
  rxDiscards: withDefault(tableOf(count), {}),
  /** the wire format of a tunnel; null for other ports */
  wire: withDefault(v.nullable(oneOf(['raw', 'batched'])), null),
  /** the last measured round trip of a tunnel; null before the first, and for other ports */
  roundTripMs: withDefault(v.nullable(measure), null),
  /** the URL that a client port is connected to, if it is not the target; else null */
  url: withDefault(v.nullable(anyText), null),
  /** the network namespace of a device, if it is not that of the switch; else null */
  netns: withDefault(v.nullable(anyText), null),
  /** the name, by which methods find it as well as by its number; null without one */
  name: withDefault(v.nullable(anyText), null),
  /** the operator's description; null without one */
  description: withDefault(v.nullable(anyText), null),
  /** frames and bits a second within the last second */
  rxFrameRate: withDefault(count, 0),
  txFrameRate: withDefault(count, 0),
  rxBitRate: withDefault(count, 0),
  txBitRate: withDefault(count, 0),
  /** octets that wait in the switch to be sent by a tunnel, and how long the oldest frame has waited, in milliseconds */
  queuedOctets: withDefault(count, 0),
  queuedMs: withDefault(measure, 0),
  /** the number of addresses at the port, learned and set */
  stations: withDefault(count, 0),
  /** the settings of the bridge port that are not the defaults, by the names of `setPort` */
  settings: withDefault(tableOf(v.unknown()), {}),
  /** how it relates to the configuration file; null without a file, and for an accepted tunnel */
  config: withDefault(v.nullable(oneOf(['file', 'changed', 'added'])), null),
  /** the name of its network */
  network: withDefault(anyText, 'default'),
  /** the node of the cluster that a mesh port leads to; absent for other ports */
  meshNode: v.optional(anyText),
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
  /** all addresses, as `ADDRESS/LENGTH` */
  addresses: withDefault(listOf(anyText), []),
  /** the network namespace of the device, if it is not that of the switch; else null */
  netns: withDefault(v.nullable(anyText), null),
  /** null without one */
  portName: withDefault(v.nullable(anyText), null),
});
export type InterfaceEntry = EntryOf<typeof interfaceEntry>;

/** An address and its port. */
export const fdbEntry = atLeast({
  vid: count,
  mac: anyText,
  port: portNumber,
  /** seconds since the address was last seen as a source */
  age: count,
  /** how often it has moved from one port to another since it was learned */
  moves: withDefault(count, 0),
  /** the port before its last move; null if it never moved */
  movedFrom: withDefault(v.nullable(portNumber), null),
  /** whether it moved more than ten times within the last minute */
  flapping: withDefault(flag, false),
  /** null without one */
  portName: withDefault(v.nullable(anyText), null),
  /** the name of its network */
  network: withDefault(anyText, 'default'),
  /** `learned`; set by the operator: `sticky`, which ages, or `static` */
  kind: withDefault(oneOf(['learned', 'sticky', 'static', 'told']), 'learned'),
});
export type FdbEntry = EntryOf<typeof fdbEntry>;

/** The counters of a service since the switch started. */
export const endpointEntry = atLeast({
  service: oneOf(['tunnels', 'control']),
  /** by name; see docs/reference/control-api.md */
  counters: tableOf(count),
});
export type EndpointEntry = EntryOf<typeof endpointEntry>;

/** A subscription to events. */
export const subscriptionEntry = atLeast({
  /** the subscribed kinds of events */
  events: listOf(anyText),
  /** the number of the last event before the subscription */
  sequence: count,
});
export type SubscriptionEntry = EntryOf<typeof subscriptionEntry>;

/** The prefix of all method names on the wire. */
export const METHOD_PREFIX = 'etherws.control.';

/** The parameters of a method that takes none. */
export const noParams: ReturnType<typeof objectOf<Record<never, never>>> = objectOf({});

/** The parameters of a list that may be one of a single network. */
export const ofNetwork: ReturnType<typeof objectOf<typeof OF_NETWORK>> = objectOf(OF_NETWORK);

/** The lists, in a module of their own, so that `etherws ctl listport` loads no other schemas. */
export const LISTS = {
  listPort: method('Lists the ports.', ofNetwork, portEntry),
  listInterface: method('Lists the devices of tap and netdev ports.', noParams, interfaceEntry),
  listFdb: method('Lists the learned addresses.', ofNetwork, fdbEntry),
  listDoor: method('Lists counters of the two services.', noParams, endpointEntry),
} as const;

export function method<P extends Schema, E extends Schema>(description: string, params: P, entry: E) {
  const takesNothing = Object.is(params, noParams) || Object.is(params, ofNetwork);
  return {
    description,
    params: namedParams(params, takesNothing),
    result: atLeast({ entries: listOf(entry) }),
    takesNothing,
  };
}

/** Accepts null for absent params, and an empty list for a method that 1.x has without parameters: some clients cannot omit params. */
function namedParams<P extends Schema>(params: P, takesNothing: boolean): P {
  return {
    ...params,
    '~run': (dataset: { value: unknown }, config: never) => {
      const { value } = dataset;
      const isNothing =
        value === undefined || value === null || (takesNothing && Array.isArray(value) && value.length === 0);
      return params['~run']({ value: isNothing ? {} : value } as never, config);
    },
  };
}
