import { EtherwsError } from '../errors.ts';
import { type ClientOptions, clientOptions, deviceOptions } from './client-options.ts';
import {
  anything,
  atLeast,
  exactly,
  flag,
  integer,
  invalid,
  listOf,
  nullable,
  oneOf,
  optional,
  quote,
  type Shape,
  tableOf,
  text,
  withDefault,
} from './shape.ts';
import { type TapOptions, tapOptions } from './tap-options.ts';
import {
  addressWithLength,
  deviceName,
  ipv4Address,
  ipv4Netmask,
  mtu,
  portNumber,
  portParameter,
  tapName,
  tunnelUrl,
} from './values.ts';

/**
 * The control API's methods, parameters and results: the one source for the
 * server, the client and the documentation. The entries are those of etherws
 * 1.x; fields were added, none was renamed or dropped.
 */

/** Every method's name on the wire begins with it. */
export const METHOD_PREFIX = 'etherws.control.';

/** A port, as `listPort`, `addPort`, `setPort` and `delPort` answer. */
export interface PortEntry {
  port: number;
  type: string;
  target: string;
  /** frames sent and received */
  tx: number;
  rx: number;
  shut: boolean;
  /** `shut` when the operator shut it, `standby` behind a parallel tunnel, else what its link does */
  state: 'shut' | 'standby' | 'connecting' | 'up' | 'down' | 'backoff' | 'away' | 'closed';
  /** why it is not up; null when it is */
  reason: string | null;
  txOctets: number;
  rxOctets: number;
  /** frames dropped, by reason; reasons that never occurred are not listed */
  txDiscards: Record<string, number>;
  rxDiscards: Record<string, number>;
  /** what a tunnel speaks; null for other ports */
  wire: 'raw' | 'batched' | null;
  /** the last measured round trip of a tunnel; null before the first, and for other ports */
  roundTripMs: number | null;
  /** the URL that a client port is connected to, where it is not its target; else null */
  url: string | null;
  /** the network namespace that a device is in, where it is not the switch's own; else null */
  netns: string | null;
}

/** The device of a tap or netdev port; `address` and `netmask` are the primary IPv4 address, `""` without one. */
export interface InterfaceEntry {
  port: number;
  type: string;
  target: string;
  address: string;
  netmask: string;
  mtu: number;
  /** every address, as `ADDRESS/LENGTH` */
  addresses: string[];
  /** the network namespace that the device is in, where it is not the switch's own; else null */
  netns: string | null;
}

export interface FdbEntry {
  vid: number;
  mac: string;
  port: number;
  /** seconds since the address was last seen as a source */
  age: number;
  /** how often it has moved from one port to another since it was learned */
  moves: number;
  /** the port that it left last; null when it never moved */
  movedFrom: number | null;
  /** whether it moved more than ten times within the last minute */
  flapping: boolean;
}

/** What happened at the door of a service since the switch started. */
export interface EndpointEntry {
  service: 'tunnels' | 'control';
  /** how often each bound was met, by its name; see docs/reference/control-api.md */
  counters: Record<string, number>;
}

/** What `addPort` asks for, after validation. `cacerts` is a path on the switch's host. */
export interface PortSpec {
  type: 'tap' | 'netdev' | 'client';
  target: string;
  options?: ClientOptions & TapOptions;
}

/** What `setInterface` asks for: the 1.x fields, and `addresses` as `ADDRESS/LENGTH`. */
export interface InterfaceSpec {
  address?: string;
  netmask?: string;
  mtu?: number;
  addresses?: string[];
}

/** The switch as the control methods see it; the daemon implements it. Failures are EtherwsErrors. */
export interface SwitchControl {
  addPort(spec: PortSpec): Promise<PortEntry>;
  setPort(port: number, settings: { shut?: boolean }): PortEntry;
  /** @returns the port's last state */
  delPort(port: number): Promise<PortEntry>;
  listPorts(): PortEntry[];
  setInterface(port: number, change: InterfaceSpec): InterfaceEntry;
  listInterfaces(): InterfaceEntry[];
  listFdb(): FdbEntry[];
  listEndpoints(): EndpointEntry[];
}

/** Each method by its name without prefix: what it asks for and the kind of its entries. */
export interface Methods {
  addPort: { params: PortSpec; entry: PortEntry };
  setPort: { params: { port: number; shut?: boolean }; entry: PortEntry };
  delPort: { params: { port: number }; entry: PortEntry };
  listPort: { params: NoParams; entry: PortEntry };
  setInterface: { params: { port: number } & InterfaceSpec; entry: InterfaceEntry };
  listInterface: { params: NoParams; entry: InterfaceEntry };
  listFdb: { params: NoParams; entry: FdbEntry };
  listDoor: { params: NoParams; entry: EndpointEntry };
}

export type MethodName = keyof Methods;
export type NoParams = Record<never, never>;

/** What every method answers. */
export interface Result<Entry> {
  entries: Entry[];
}

/** How a method's parameters and its result are checked, on both sides. */
export interface MethodShape<Params, Entry> {
  readonly params: Shape<Params>;
  readonly result: Shape<Result<Entry>>;
}

/** Longer lists of addresses than any interface has are a mistake. */
const MOST_ADDRESSES = 64;

const count: Shape<number> = integer(0);
/** A measured quantity: no whole number, and never negative. */
const measure: Shape<number> = {
  read(value, name) {
    if (typeof value === 'number' && value >= 0) return value;
    throw invalid(`${name} must be a number of at least 0, got ${quote(value)}`);
  },
};
const counters: Shape<Record<string, number>> = withDefault(tableOf(count), {});

/** The defaults are for a switch of 1.x, which did not know the fields. */
const portEntry: Shape<PortEntry> = atLeast<PortEntry>({
  port: portNumber,
  type: text(),
  target: text(),
  tx: count,
  rx: count,
  shut: flag,
  state: withDefault(oneOf(['shut', 'standby', 'connecting', 'up', 'down', 'backoff', 'away', 'closed']), 'up'),
  reason: withDefault(nullable(text()), null),
  txOctets: withDefault(count, 0),
  rxOctets: withDefault(count, 0),
  txDiscards: counters,
  rxDiscards: counters,
  wire: withDefault(nullable(oneOf(['raw', 'batched'])), null),
  roundTripMs: withDefault(nullable(measure), null),
  url: withDefault(nullable(text()), null),
  netns: withDefault(nullable(text()), null),
});

const interfaceEntry: Shape<InterfaceEntry> = atLeast<InterfaceEntry>({
  port: portNumber,
  type: text(),
  target: text(),
  address: withDefault(text(), ''),
  netmask: withDefault(text(), ''),
  mtu: count,
  addresses: withDefault(listOf(text()), []),
  netns: withDefault(nullable(text()), null),
});

const endpointEntry: Shape<EndpointEntry> = atLeast<EndpointEntry>({
  service: oneOf(['tunnels', 'control']),
  counters: tableOf(count),
});

const fdbEntry: Shape<FdbEntry> = atLeast<FdbEntry>({
  vid: count,
  mac: text(),
  port: portNumber,
  age: count,
  moves: withDefault(count, 0),
  movedFrom: withDefault(nullable(portNumber), null),
  flapping: withDefault(flag, false),
});

const portSpecs: Readonly<Record<PortSpec['type'], Shape<PortSpec>>> = {
  tap: portSpec('tap', tapName, tapOptions),
  netdev: portSpec('netdev', deviceName, deviceOptions),
  client: portSpec('client', tunnelUrl, clientOptions),
};

const typed: Shape<{ type: unknown }> = atLeast<{ type: unknown }>({ type: anything });

const anyPortSpec: Shape<PortSpec> = {
  read(value, name) {
    const { type } = typed.read(value, name);
    if (typeof type === 'string' && Object.hasOwn(portSpecs, type)) {
      return portSpecs[type as PortSpec['type']].read(value, name);
    }
    const known = `There are ${Object.keys(portSpecs).join(', ')}`;
    const hint = type === 'server' ? 'A server port comes up when a tunnel is accepted' : known;
    throw new EtherwsError('PORT_TYPE_UNSUPPORTED', `No port of type ${quote(type)} can be added`, { hint });
  },
};

function portSpec<T extends PortSpec['type']>(
  type: T,
  target: Shape<string>,
  options: Shape<ClientOptions & TapOptions>,
): Shape<PortSpec> {
  return exactly<PortSpec>({ type: oneOf([type]), target, options: optional(options) });
}

const noParams: Shape<NoParams> = {
  /** Some clients cannot omit params and send an empty list. */
  read: (value, name) => (Array.isArray(value) && value.length === 0 ? {} : exactly<NoParams>({}).read(value, name)),
};

/** The control API. */
export const METHODS: { readonly [M in MethodName]: MethodShape<Methods[M]['params'], Methods[M]['entry']> } = {
  addPort: method(anyPortSpec, portEntry),
  setPort: method(exactly<Methods['setPort']['params']>({ port: portParameter, shut: optional(flag) }), portEntry),
  delPort: method(exactly<Methods['delPort']['params']>({ port: portParameter }), portEntry),
  listPort: method(noParams, portEntry),
  setInterface: method(
    exactly<Methods['setInterface']['params']>({
      port: portParameter,
      address: optional(ipv4Address),
      netmask: optional(ipv4Netmask),
      mtu: optional(mtu),
      addresses: optional(listOf(addressWithLength, MOST_ADDRESSES)),
    }),
    interfaceEntry,
  ),
  listInterface: method(noParams, interfaceEntry),
  listFdb: method(noParams, fdbEntry),
  listDoor: method(noParams, endpointEntry),
};

function method<Params, Entry>(params: Shape<Params>, entry: Shape<Entry>): MethodShape<Params, Entry> {
  const named: Shape<Params> = { read: (value, name) => params.read(value ?? {}, name) };
  return { params: named, result: atLeast<Result<Entry>>({ entries: listOf(entry) }) };
}
