import * as v from 'valibot';
import { atLeast, objectOf } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf, type Schema, tableOf } from '../schema/types.ts';

/**
 * What the methods of the control API answer, and those methods that ask for nothing. The entries are those of etherws
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
  /** by which methods find it, beside its number; null without one */
  name: withDefault(v.nullable(anyText), null),
  /** what it is for, in the operator's words; null when nothing was said */
  description: withDefault(v.nullable(anyText), null),
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
  /** null without one */
  portName: withDefault(v.nullable(anyText), null),
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
  /** null without one */
  portName: withDefault(v.nullable(anyText), null),
});
export type FdbEntry = EntryOf<typeof fdbEntry>;

/** What was counted at the endpoint of a service since the switch started. */
export const endpointEntry = atLeast({
  service: oneOf(['tunnels', 'control']),
  /** how often each bound was met, by its name; see docs/control-api.md */
  counters: tableOf(count),
});
export type EndpointEntry = EntryOf<typeof endpointEntry>;

/** Every method's name on the wire begins with it. */
export const METHOD_PREFIX = 'etherws.control.';

const noParams = objectOf({});

/** The methods that ask for nothing. They stand apart: `etherws ctl listport` loads no more than it needs. */
export const LISTS = {
  listPort: method('Lists the ports.', noParams, portEntry),
  listInterface: method('Lists the devices of tap and netdev ports.', noParams, interfaceEntry),
  listFdb: method('Lists the learned addresses.', noParams, fdbEntry),
  listDoor: method('Lists counters of the two services.', noParams, endpointEntry),
} as const;

export function method<P extends Schema, E extends Schema>(description: string, params: P, entry: E) {
  const takesNothing = Object.is(params, noParams);
  return {
    description,
    params: namedParams(params, takesNothing),
    result: atLeast({ entries: listOf(entry) }),
    takesNothing,
  };
}

/** Some clients cannot omit params, and send null, or an empty list where a method takes none. */
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
