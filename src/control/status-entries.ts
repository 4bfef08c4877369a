import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf, tableOf } from '../schema/types.ts';
import { clusterStatus } from './cluster-status-entries.ts';
import { portEntry } from './entries.ts';

/**
 * The results of `getStatus` and `getPort`: one entry with everything. They are in a module of their own, since most
 * calls of `etherws ctl` load only the lists.
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

/** The address of a service. */
const servicePlace = atLeast({
  service: oneOf(['tunnels', 'control']),
  /** `ws://`, `wss://`, `http://`, `https://` or `unix:PATH`, with the listening address */
  url: anyText,
  /** the kinds of credentials of which a caller must have one; none: it needs none */
  credentials: listOf(oneOf(['password', 'token', 'certificate'])),
  /** the pin of the public key of its certificate, for `--pin`; null without TLS */
  pin: v.nullable(anyText),
});

/** Discards that indicate a fault, or a station that violates the rules. */
const faultEntry = atLeast({
  port: integer(1),
  portName: v.nullable(anyText),
  direction: oneOf(['rx', 'tx']),
  reason: anyText,
  frames: count,
});

/** A limit and its use. */
const limitEntry = atLeast({
  /** the option that sets it; `descriptors` for the limit of open files */
  limit: anyText,
  used: measure,
  most: measure,
});
export type LimitEntry = Known<v.InferOutput<typeof limitEntry>>;

/** The lateness of timers in the last minute, or since the start. */
const eventLoopEntry = atLeast({ meanMs: measure, p99Ms: measure, maxMs: measure });

/** How the running switch relates to its configuration file. */
const configurationEntry = atLeast({
  /** null without one */
  file: v.nullable(anyText),
  /** one sentence for each difference from the file */
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
  /** the numbers of connected tunnels, and of users with one */
  tunnels: atLeast({ dialled: count, accepted: count, users: count }),
  fdb: atLeast({ addresses: count, capacity: count }),
  /** the most frequent first, at most 20 */
  faults: listOf(faultEntry),
  memory: atLeast({ residentBytes: count, heapBytes: count, bufferBytes: count }),
  eventLoop: eventLoopEntry,
  limits: listOf(limitEntry),
  configuration: configurationEntry,
  /** absent for a switch that is no node of a cluster */
  cluster: v.optional(clusterStatus),
});
export type StatusEntry = Known<v.InferOutput<typeof statusEntry>>;

/** The members that the process knows; the switch knows the others. */
export type ProcessStatus = Omit<StatusEntry, 'ports' | 'tunnels' | 'fdb' | 'faults'>;

/** The rules of a policy for received frames, without absent ones; names as in the policy file. */
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

/** A port with all its facts. */
export const portPage = atLeast({
  ...portEntry.entries,
  /** the ages of the port, of its state and of its connection; the last one is null without a connection */
  ageSeconds: count,
  stateSeconds: count,
  connectedSeconds: v.nullable(count),
  /** the number of its connections; for a device, how often its link came up */
  connections: count,
  /** the user of an accepted tunnel; null where none was required, and for other ports */
  user: v.nullable(anyText),
  /** the connection's remote end as `ADDRESS:PORT`, which may be a proxy, and its local address */
  peer: v.nullable(anyText),
  localAddress: v.nullable(anyText),
  /** null for a connection without TLS, and for other ports */
  tls: v.nullable(atLeast({ protocol: anyText, cipher: anyText })),
  /** the certificate of the peer, or else of this service; null where no TLS is known. `expires`: ISO 8601, in UTC */
  certificate: v.nullable(atLeast({ of: oneOf(['peer', 'service']), expires: anyText })),
  /** the code that moves the octets of a tunnel */
  transport: v.nullable(oneOf(['native', 'native-tls', 'node'])),
  /** the names of those settings that the port does not have for itself, but from its user, its network or the switch */
  inherited: listOf(anyText),
  policy: v.nullable(policyEntry),
  /** what LLDP has found at the port; `port` is the ID of the neighbour's port */
  neighbors: listOf(atLeast({ system: v.nullable(anyText), chassis: anyText, port: anyText })),
  /** at most 64, the most recently seen first */
  addresses: listOf(atLeast({ vid: count, mac: anyText, age: count })),
  /** the IP addresses that are bound to stations at the port, at most 64; `seconds` until the binding ends; null: it does not, or any */
  bindings: listOf(
    atLeast({
      address: anyText,
      mac: v.nullable(anyText),
      vid: v.nullable(count),
      kind: oneOf(['static', 'dhcp', 'first']),
      seconds: v.nullable(count),
    }),
  ),
});
export type PortPage = Known<v.InferOutput<typeof portPage>>;
