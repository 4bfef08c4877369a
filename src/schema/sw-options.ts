import { EVENT_KINDS } from '../events/event.ts';
import { CLUSTER_OPTIONS, clusterOptions } from './cluster-options.ts';
import { CONTROL_OPTIONS, controlOptions, TUNNEL_OPTIONS, tunnelOptions } from './service-options.ts';
import { eitherOf, hook, listenAddress, network, reservedDigits, workers } from './sw-values.ts';
import { objectOf, type Row, type Table, type ValuesOf } from './table.ts';
import { given, implies, together } from './together.ts';
import { anyText, flag, listOf, seconds, wholeNumber } from './types.ts';

/**
 * The options of `etherws sw`. A row defines the flag with its help, the check, the JSON Schema, and the key in the
 * configuration file. Each table is a section of the file and a group of the help.
 */

const MOST = 1_000_000;
const MOST_ADDRESSES = 16_777_216;
/** Enough for a super-frame with its offload header. */
const LEAST_MESSAGE_BYTES = 66 * 1024;
const MOST_MESSAGE_BYTES = 1024 * 1024;
const LEAST_QUEUE_BYTES = MOST_MESSAGE_BYTES / 8;
const MOST_QUEUE_BYTES = 256 * 1024 * 1024;
const LEAST_BUFFERS_MIB = 16;
const MOST_BUFFERS_MIB = 1024 * 1024;
const MOST_HOOKS = 64;
const MOST_AUTO_NETWORKS = 4000;
const MOST_AUTO_MESH = 100_000;

/** The process and the filtering database: keys at the top of the file. */
export const SWITCH_OPTIONS = {
  debug: { type: flag, flag: '--debug', help: 'log every learn, age-out, connect and forward to standard error' },
  foreground: { type: flag, flag: '--foreground', help: 'stay in the foreground' },
  workers: {
    type: workers,
    defaultText: '1',
    flag: '--workers',
    metavar: 'n',
    help: 'accept tunnels by so many processes on one port, for as many processors; auto: one for each (see docs/operate/cluster.md)',
  },
  ageout: {
    type: seconds(MOST),
    default: 300,
    flag: '--ageout',
    metavar: 'sec',
    help: 'ageing time of learned addresses in seconds',
  },
  fdbSize: {
    type: wholeNumber(1, MOST_ADDRESSES),
    default: 65_536,
    flag: '--fdb-size',
    metavar: 'n',
    help: 'the most learned addresses; beyond it the port with the most loses the longest unseen',
  },
  forwardReserved: {
    type: reservedDigits,
    flag: '--forward-reserved',
    metavar: 'digits',
    help: 'relay 01-80-C2-00-00-0x of these last hexadecimal digits: 0,E for STP and LLDP, or all',
  },
  autoNet: {
    type: wholeNumber(1, MOST_AUTO_NETWORKS),
    bare: 1000,
    flag: '--auto-net',
    metavar: 'max',
    help: 'make a network when a tunnel wants it, and remove it with its last port; at most so many',
  },
  autoNetMesh: {
    type: wholeNumber(1, MOST_AUTO_MESH),
    default: 1000,
    flag: '--auto-net-mesh',
    metavar: 'max',
    help: 'in a cluster: mesh tunnels of networks of --auto-net, to all other nodes together; to one of several half of it',
  },
  oui: {
    type: anyText,
    file: 'read',
    flag: '--oui',
    metavar: 'file',
    help: 'vendors of MAC addresses: oui.txt of the IEEE, or the list of nmap or Wireshark (see docs/operate/stations.md)',
  },
} as const satisfies Table;

/** The rights of users: a key at the top of the file. */
export const RIGHTS_OPTIONS = {
  policy: {
    type: anyText,
    file: 'read',
    flag: '--policy',
    metavar: 'file',
    help: 'rules for users and groups, YAML (see docs/operate/policy.md)',
  },
} as const satisfies Table;

/** Programs that are run on events: keys at the top of the file. */
export const HOOK_OPTIONS = {
  hooks: {
    type: listOf(hook, MOST_HOOKS),
    flag: '--hook',
    metavar: 'event=program',
    help: `run a program on events of a kind: ${EVENT_KINDS.join(', ')}; repeatable (see docs/operate/hooks.md)`,
  },
  hookTimeout: {
    type: seconds(3600),
    default: 30,
    flag: '--hook-timeout',
    metavar: 'sec',
    help: 'end such a program after this time, in seconds',
  },
} as const satisfies Table;

/** Limits of clients before and after authentication. The code that applies them has the defaults. */
export const LIMIT_OPTIONS = {
  trustedProxies: {
    type: listOf(network),
    flag: '--trusted-proxy',
    metavar: 'net',
    help: 'believe X-Forwarded-For and PROXY headers of proxies there (repeatable)',
  },
  maxTunnels: limit('--max-tunnels', 10_000, 'tunnels and handshakes at a time'),
  maxPerAddress: {
    ...limit('--max-per-address', 4096, 'those of one address'),
    defaultText: '4096; of the unproven 512',
  },
  maxPerUser: limit('--max-per-user', 1024, 'those of one user'),
  maxUnproven: limit('--max-unproven', 1024, 'connections that have not shown credentials'),
  handshakeTimeout: {
    type: seconds(MOST),
    default: 10,
    unit: 'seconds',
    flag: '--handshake-timeout',
    metavar: 'sec',
    help: 'how long that may take',
  },
  loginFailures: limit('--login-failures', 20, 'wrong passwords of an address before it has to wait'),
  maxMessage: {
    type: wholeNumber(LEAST_MESSAGE_BYTES, MOST_MESSAGE_BYTES),
    default: 262_144,
    unit: 'bytes',
    flag: '--max-message',
    metavar: 'bytes',
    help: 'the longest message taken on the raw wire; batched: always 1048576',
  },
  maxQueue: {
    type: wholeNumber(LEAST_QUEUE_BYTES, MOST_QUEUE_BYTES),
    default: 1_048_576,
    unit: 'bytes',
    flag: '--max-queue',
    metavar: 'bytes',
    help: 'what may wait for a slow reader; more is dropped',
  },
  maxBuffers: {
    type: wholeNumber(LEAST_BUFFERS_MIB, MOST_BUFFERS_MIB),
    default: 256,
    unit: 'MiB',
    flag: '--max-buffers',
    metavar: 'mib',
    help: 'what all queues and unfinished messages may hold together',
  },
} as const satisfies Table;

/** Where metrics are served beside the control service. */
export const METRICS_OPTIONS = {
  listen: {
    type: listenAddress,
    flag: '--metrics-listen',
    metavar: '[address:]port',
    help: 'serve /metrics, /healthz and /readyz there, too, without credentials; a port alone: on 127.0.0.1',
  },
} as const satisfies Table;

/** The process: its user, its log, its PID file. */
export const DAEMON_OPTIONS = {
  user: {
    type: anyText,
    flag: '--user',
    metavar: 'name',
    help: 'become this user once both services listen; keeps CAP_NET_ADMIN and CAP_NET_RAW',
  },
  group: {
    type: anyText,
    defaultText: "the user's own",
    flag: '--group',
    metavar: 'name',
    help: 'and this group',
  },
  logformat: {
    type: eitherOf('auto', 'text', 'json', 'journald'),
    default: 'auto',
    flag: '--logformat',
    metavar: 'format',
    help: 'auto: text on a terminal, journald for a service of systemd, else JSON; or text, json, journald',
  },
  logfile: {
    type: anyText,
    file: 'made',
    flag: '--logfile',
    metavar: 'file',
    help: 'append the log to a file instead of standard error; SIGHUP opens it anew',
  },
  state: {
    type: anyText,
    file: 'made',
    flag: '--state',
    metavar: 'file',
    help: 'keep ports, and what etherws ctl changes, across restarts (see docs/operate/configuration.md)',
  },
  pidfile: { type: anyText, file: 'made', flag: '--pidfile', metavar: 'file', help: 'write the process id there' },
} as const satisfies Table;

function limit<const F extends `--${string}`, const D extends number>(flagName: F, fallback: D, help: string) {
  return { type: wholeNumber(1, MOST), default: fallback, flag: flagName, metavar: 'n', help } as const;
}

/** The groups of the help in order, each with its section of the file; undefined: the top of the file. */
export const SW_GROUPS: readonly {
  readonly section: string | undefined;
  readonly heading?: string;
  readonly table: Table;
}[] = [
  { section: undefined, table: SWITCH_OPTIONS },
  { section: 'tunnels', heading: 'Tunnels:', table: TUNNEL_OPTIONS },
  { section: 'control', heading: 'Control API:', table: CONTROL_OPTIONS },
  { section: undefined, heading: 'Rights:', table: RIGHTS_OPTIONS },
  { section: undefined, heading: 'Hooks:', table: HOOK_OPTIONS },
  { section: 'limits', heading: 'Limits, of each service:', table: LIMIT_OPTIONS },
  { section: 'cluster', heading: 'Cluster:', table: CLUSTER_OPTIONS },
  { section: 'metrics', heading: 'Metrics:', table: METRICS_OPTIONS },
  { section: 'daemon', heading: 'Daemon:', table: DAEMON_OPTIONS },
];

const daemonOptions = together(objectOf(DAEMON_OPTIONS), [
  {
    complain: ({ user, group }) =>
      group !== undefined &&
      user === undefined && {
        sentence: '{.group} needs {.user}, too',
        hint: 'Rights are dropped by becoming another user',
      },
    keywords: implies(given('group'), given('user')),
  },
]);

/** The sections and keys of a configuration file that are options of `etherws sw`, too. */
export const SW_SECTIONS = {
  ...SWITCH_OPTIONS,
  ...RIGHTS_OPTIONS,
  ...HOOK_OPTIONS,
  tunnels: { type: tunnelOptions, help: 'where and for whom tunnels are accepted' },
  control: { type: controlOptions, help: 'where and for whom the control API is served' },
  limits: { type: objectOf(LIMIT_OPTIONS), help: 'limits of each service' },
  cluster: { type: clusterOptions, help: 'of which cluster of switches this one is a node' },
  metrics: { type: objectOf(METRICS_OPTIONS), help: 'where metrics can be read beside the control service' },
  daemon: { type: daemonOptions, help: 'the process: its user, its log, its PID file' },
} as const satisfies Table;

/** The given values, by section. Paths and lists are as written. */
export type SwValues = ValuesOf<typeof SW_SECTIONS>;

/** The row of an option that names a file, with its path in the document. */
export interface FileRow {
  readonly path: readonly string[];
  readonly row: Row;
}

/** All options that name a file. */
export const FILE_ROWS: readonly FileRow[] = SW_GROUPS.flatMap(({ section, table }) =>
  Object.entries<Row>(table)
    .filter(([, row]) => row.file !== undefined)
    .map(([key, row]) => ({ path: section === undefined ? [key] : [section, key], row })),
);
