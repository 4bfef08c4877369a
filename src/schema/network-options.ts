import * as v from 'valibot';
import { TUNNEL_SETTINGS } from './bridge-port-options.ts';
import { messageOf } from './check.ts';
import { NETWORK_LLDP_OPTIONS } from './lldp-options.ts';
import { mirrorPort } from './mirror-options.ts';
import { MULTICAST_OPTIONS } from './multicast-options.ts';
import { SPANNING_TREE_OPTIONS } from './spanning-tree-options.ts';
import type { Row, Table, ValuesOf } from './table.ts';
import { oneOf, text } from './types.ts';

/** The settings of a network: rows of `setnet NAME …`, and of the list `networks:` of a configuration file. */

/** The network that every switch has. It behaves as the only one of 1.x. */
export const DEFAULT_NETWORK = 'default';

const MOST_NAME_CHARACTERS = 63;
const NETWORK_NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,${MOST_NAME_CHARACTERS - 1}}$`);
const MOST_SECONDS = 1_000_000;
const MOST_ADDRESSES = 16_777_216;

/** The name of a network. It is one segment of a URL's path, and needs no percent-encoding there. */
export const networkName = text(
  (name) => {
    if (name === '') return 'is empty';
    if (name.length > MOST_NAME_CHARACTERS) return `is longer than ${MOST_NAME_CHARACTERS} characters`;
    if (!/^[A-Za-z0-9]/.test(name)) return 'does not begin with a letter from A to Z or a digit';
    return NETWORK_NAME.test(name) ? undefined : 'has another character than letters, digits, "-", "_" and "."';
  },
  { pattern: NETWORK_NAME.source },
);

/** The network that a port is added to, or that a list is about. */
export const OF_NETWORK = {
  network: { type: networkName, flag: '--net', metavar: 'NAME', help: 'only of this network', defaultText: 'all' },
} as const satisfies Table;

/** Whether a text is the name of a possible network. */
export function isNetworkName(name: string): boolean {
  return NETWORK_NAME.test(name);
}

/** A row of a setting of networks. Its default is a value, so that giving this value resets the setting. */
export interface NetworkRow extends Row {
  readonly default: unknown;
  /** the default in networks other than `default`, if it is another one there */
  readonly defaultElsewhere?: unknown;
}

export const NETWORK_OPTIONS = {
  ageout: {
    type: fromZero(MOST_SECONDS, 'seconds'),
    default: 0,
    defaultText: '0: that of sw --ageout',
    unit: 'seconds',
    flag: '--ageout',
    metavar: 'SEC',
    help: 'ageing time of learned addresses in seconds',
  },
  fdbSize: {
    type: v.pipe(
      fromZero(MOST_ADDRESSES, 'addresses'),
      v.safeInteger(messageOf({ sentence: '{name} must be a whole number, got {value}' })),
    ),
    default: 0,
    defaultText: '0: that of sw --fdb-size',
    flag: '--fdb-size',
    metavar: 'N',
    help: 'the most learned addresses',
  },
  hostSnooping: {
    type: oneOf(['on', 'off']),
    default: 'on',
    flag: '--host-snooping',
    metavar: 'on|off',
    help: 'whether ARP, neighbour discovery and DHCP are read, to list the IP addresses and names of stations',
  },
  loopDetection: {
    type: oneOf(['off', 'auto', 'on']),
    default: 'auto',
    flag: '--loop-detection',
    metavar: 'off|auto|on',
    help: 'probes that find loops; auto: while there is a storm, or addresses move to and fro',
  },
  ...NETWORK_LLDP_OPTIONS,
  ...MULTICAST_OPTIONS,
  mirrorTo: {
    type: mirrorPort,
    default: '',
    defaultText: "''",
    flag: '--mirror-to',
    metavar: 'PORT',
    help: "port that sends copies of all frames of the network, and nothing else; '' for none",
  },
  ...SPANNING_TREE_OPTIONS,
  tunnelSettings: { ...TUNNEL_SETTINGS, default: {} },
} as const satisfies Readonly<Record<string, NetworkRow>>;

/** All settings of a network. */
export type NetworkSettings = Required<ValuesOf<typeof NETWORK_OPTIONS>>;
/** Some settings of a network; absent ones stay unchanged. */
export type NetworkChange = ValuesOf<typeof NETWORK_OPTIONS>;

/** The settings of a new network. */
export function defaultSettings(network: string): NetworkSettings {
  const rows: [string, NetworkRow][] = Object.entries(NETWORK_OPTIONS);
  const values = rows.map(([key, row]) => [
    key,
    network !== DEFAULT_NETWORK && 'defaultElsewhere' in row ? row.defaultElsewhere : row.default,
  ]);
  return Object.fromEntries(values) as NetworkSettings;
}

/** A number of at least 0, with fractions. */
function fromZero(most: number, unit: string) {
  const message = messageOf({ sentence: `{name} must be a number of ${unit} from 0 to ${most}, got {value}` });
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(most, message));
}
