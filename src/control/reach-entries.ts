import * as v from 'valibot';
import { DEFAULT_NETWORK, networkName } from '../schema/network-options.ts';
import { atLeast, objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, integer, listOf, measure, oneOf, seconds, text } from '../schema/types.ts';
import { type EntryOf, method } from './entries.ts';

/** The methods that ask stations for an answer, and that tell where frames go. */

const MOST_WAIT_SECONDS = 60;

const WHERE = {
  network: {
    type: networkName,
    default: DEFAULT_NETWORK,
    flag: '--net',
    metavar: 'NAME',
    help: 'network of the station',
  },
  vid: { type: integer(0, 4094), default: 0, flag: '--vid', metavar: 'VID', help: 'its VLAN; 0: frames without a tag' },
} as const satisfies Table;

export const PING = {
  target: {
    type: text((target) => (target === '' || target.length > 64 ? 'is no MAC address, IP address or port' : undefined)),
    required: true,
    help: 'MAC address, IPv4 or IPv6 address, or the name or number of a tunnel port',
  },
  ...WHERE,
  wait: {
    type: seconds(MOST_WAIT_SECONDS),
    default: 1,
    flag: '--wait',
    metavar: 'SEC',
    unit: 'seconds',
    help: 'how long an answer is waited for',
  },
} as const satisfies Table;

export const TRACE = {
  target: {
    type: text((target) =>
      target === '' || target.length > 64 ? 'is no MAC address, IP address or host name' : undefined,
    ),
    required: true,
    help: 'MAC address of the station; or its IP address or host name, as liststation has it',
  },
  ...WHERE,
} as const satisfies Table;

export type PingSpec = ValuesOf<typeof PING>;
export type TraceSpec = ValuesOf<typeof TRACE>;

/** One request, and its answer if one came in time. */
export const pingEntry = atLeast({
  target: anyText,
  /** how it was asked: `arp`, `nd`, `echo`, `llc-test`; `tunnel`: a ping of the tunnel's WebSocket */
  asked: listOf(anyText),
  /** which of them was answered; null: none in time, and so are the members below */
  by: v.nullable(anyText),
  roundTripMs: v.nullable(measure),
  /** the station that answered; null for a tunnel */
  mac: v.nullable(anyText),
  ip: v.nullable(anyText),
  /** the port that it is at; null if that is not known */
  port: v.nullable(integer(1)),
  portName: v.nullable(anyText),
  /** the node of the cluster that the port leads to; absent for other ports */
  meshNode: v.optional(anyText),
});
export type PingEntry = EntryOf<typeof pingEntry>;

/** A port by which the switch would send a frame to the station. */
export const traceEntry = atLeast({
  network: anyText,
  vid: integer(0),
  mac: anyText,
  /** `forward`: the address is known at this port; `flood`: it is not known, and this is one of the ports */
  decision: oneOf(['forward', 'flood']),
  port: integer(1),
  portName: v.nullable(anyText),
  /** the node of the cluster that the port leads to; absent for other ports */
  meshNode: v.optional(anyText),
  type: anyText,
  target: anyText,
  /** that of the port; frames leave by it if it is `up` */
  state: anyText,
  reason: v.nullable(anyText),
  /** seconds since the address was last seen; null for a flood */
  age: v.nullable(integer(0)),
  /** the other end of a tunnel, its user, and its last round trip; null for others */
  peer: v.nullable(anyText),
  user: v.nullable(anyText),
  roundTripMs: v.nullable(measure),
  /** the neighbours at the other end, as LLDP tells them */
  neighbors: listOf(atLeast({ system: v.nullable(anyText), chassis: anyText, port: anyText })),
});
export type TraceEntry = EntryOf<typeof traceEntry>;

export const REACH_METHODS = {
  ping: method('Asks a station or the peer of a tunnel once, and measures the round trip.', objectOf(PING), pingEntry),
  trace: method('Tells by which ports the switch would send a frame to a station.', objectOf(TRACE), traceEntry),
} as const;

/** The commands behind these methods. */
export interface ReachControl {
  /** @throws EtherwsError ARGUMENT_INVALID, NETWORK_NOT_FOUND, PORT_NOT_FOUND */
  ping(spec: PingSpec): Promise<PingEntry>;
  /** @throws EtherwsError NETWORK_NOT_FOUND, ADDRESS_INVALID, ADDRESS_UNKNOWN */
  trace(spec: TraceSpec): TraceEntry[];
}
