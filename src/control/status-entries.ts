import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf, tableOf } from '../schema/types.ts';
import { portEntry } from './entries.ts';

/**
 * What `getStatus` and `getPort` answer: one entry with everything. They are apart from the lists, since most calls of
 * `etherws ctl` load no more than those.
 */

const count = integer(0);

/** The type of an entry with its known members only, at every depth; tables with arbitrary keys stay. */
type Known<T> = T extends readonly (infer Item)[]
  ? Known<Item>[]
  : T extends object
    ? string extends keyof T
      ? unknown extends T[string & keyof T]
        ? { [K in keyof T as string extends K ? never : number extends K ? never : K]: Known<T[K]> }
        : T
      : { [K in keyof T]: Known<T[K]> }
    : T;

/** A place where a service is reached. */
const servicePlace = atLeast({
  service: oneOf(['tunnels', 'control']),
  /** `ws://`, `wss://`, `http://`, `https://` or `unix:PATH`; the address is the one that is listened on */
  url: anyText,
});

/** Discards that point at a fault, or at a station that breaks the rules. */
const faultEntry = atLeast({
  port: integer(1),
  portName: v.nullable(anyText),
  direction: oneOf(['rx', 'tx']),
  reason: anyText,
  frames: count,
});

/** A bound, and how much of it is used. */
const limitEntry = atLeast({
  /** the option that sets it; `descriptors` for the limit of open files */
  limit: anyText,
  used: measure,
  most: measure,
});
export type LimitEntry = Known<v.InferOutput<typeof limitEntry>>;

/** The lateness of timers in the last complete minute; before its end, in what there was of it. */
const eventLoopEntry = atLeast({ meanMs: measure, p99Ms: measure, maxMs: measure });

/** How the running switch relates to its configuration file. */
const configurationEntry = atLeast({
  /** null without one */
  file: v.nullable(anyText),
  /** what differs from the file, one sentence each */
  deviations: listOf(anyText),
});

/** A running switch. */
export const statusEntry = atLeast({
  version: anyText,
  pid: count,
  uptimeSeconds: count,
  services: listOf(servicePlace),
  /** the number of ports by state; only states that occur */
  ports: tableOf(count),
  /** the tunnels that stand, and how many users have one */
  tunnels: atLeast({ dialled: count, accepted: count, users: count }),
  fdb: atLeast({ addresses: count, capacity: count }),
  /** the most frequent first, at most 20 */
  faults: listOf(faultEntry),
  memory: atLeast({ residentBytes: count, heapBytes: count, bufferBytes: count }),
  eventLoop: eventLoopEntry,
  limits: listOf(limitEntry),
  configuration: configurationEntry,
});
export type StatusEntry = Known<v.InferOutput<typeof statusEntry>>;

/** What only the process knows; the rest is known by the switch. */
export type ProcessStatus = Omit<StatusEntry, 'ports' | 'tunnels' | 'fdb' | 'faults'>;

/** The rules of a policy for what a port receives; only those that there are. Names as in the policy file. */
const policyEntry = atLeast({
  sourceMacs: v.optional(listOf(anyText)),
  claimFirst: v.optional(count),
  /** the addresses that the port has claimed */
  claimed: v.optional(listOf(anyText)),
  etherTypes: v.optional(listOf(anyText)),
  /** a second */
  frames: v.optional(measure),
  bits: v.optional(measure),
  broadcastFrames: v.optional(measure),
  broadcastBits: v.optional(measure),
  dhcpServer: v.optional(flag),
  routerAdvertisements: v.optional(flag),
});
export type PolicyEntry = Known<v.InferOutput<typeof policyEntry>>;

/** A port with everything that is known of it. */
export const portPage = atLeast({
  ...portEntry.entries,
  /** how long the port exists, has its state, and has its present connection; null without one */
  ageSeconds: count,
  stateSeconds: count,
  connectedSeconds: v.nullable(count),
  /** how many connections have carried it; of a device: how often its link came up */
  connections: count,
  /** the user of an accepted tunnel; null where none was asked for, and for other ports */
  user: v.nullable(anyText),
  /** the other end of the connection as `ADDRESS:PORT`, and our address; of a proxy, where there is one */
  peer: v.nullable(anyText),
  localAddress: v.nullable(anyText),
  /** null for a connection without TLS, and for other ports */
  tls: v.nullable(atLeast({ protocol: anyText, cipher: anyText })),
  /** what moves the octets of a tunnel */
  transport: v.nullable(oneOf(['native', 'native-tls', 'node'])),
  /** octets that wait for a tunnel in the switch */
  queuedOctets: count,
  policy: v.nullable(policyEntry),
  stations: count,
  /** at most 64 of them, those seen last first */
  addresses: listOf(atLeast({ vid: count, mac: anyText, age: count })),
});
export type PortPage = Known<v.InferOutput<typeof portPage>>;
