import { isDeepStrictEqual } from 'node:util';
import { VLAN_MODES } from '../wire/ethernet/vlan-mode.ts';
import { LLDP_OPTIONS } from './lldp-options.ts';
import { MIRROR_OPTIONS } from './mirror-options.ts';
import { MULTICAST_PORT_OPTIONS } from './multicast-options.ts';
import { PORT_SECURITY_OPTIONS } from './port-security-options.ts';
import { SPANNING_TREE_PORT_OPTIONS } from './spanning-tree-options.ts';
import { objectOf, type Row, type Table, type ValuesOf } from './table.ts';
import { flag, oneOf } from './types.ts';
import { tagType, vlanId, vlanList } from './vlan-values.ts';

/**
 * The settings of a bridge port: rows of `addPort`, `setPort`, the configuration file and the state file. They can be
 * changed while the port is up. Each row has a default, which is an explicit value: setting it resets the port.
 */
export const BRIDGE_PORT_OPTIONS = {
  isolated: {
    type: flag,
    default: false,
    flag: '--isolated',
    metavar: '0|1',
    help: '1: exchange no frames with other isolated ports',
  },
  ...MULTICAST_PORT_OPTIONS,
  vlanMode: {
    type: oneOf(VLAN_MODES),
    default: 'transparent',
    flag: '--vlan-mode',
    metavar: 'MODE',
    help: 'access: one VLAN without tags; trunk: VLANs with tags; native: both; transparent: pass all frames unchanged',
  },
  pvid: {
    type: vlanId,
    default: 1,
    flag: '--pvid',
    metavar: 'VID',
    help: 'VLAN of frames without a tag, of an access or native port',
  },
  vlans: {
    type: vlanList,
    default: 'all',
    flag: '--vlans',
    metavar: 'LIST',
    help: 'VLANs with tags, of a trunk or native port, such as 10,20,30-40',
  },
  ethertype: {
    type: tagType,
    default: '8100',
    flag: '--ethertype',
    metavar: '8100|88a8',
    help: 'kind of tags, unless transparent: 88a8 for the S-TAGs of a provider (QinQ)',
  },
  ...PORT_SECURITY_OPTIONS,
  ...LLDP_OPTIONS,
  ...MIRROR_OPTIONS,
  ...SPANNING_TREE_PORT_OPTIONS,
} as const satisfies Table;

export type BridgePortValues = ValuesOf<typeof BRIDGE_PORT_OPTIONS>;

type Key = keyof BridgePortValues;

const KEYS = Object.keys(BRIDGE_PORT_OPTIONS) as Key[];

/** The settings of a bridge port among the members of `from`; absent ones stay absent. */
export function bridgePortValues(from: Readonly<Record<string, unknown>> | BridgePortValues): BridgePortValues {
  const given = from as Readonly<Record<string, unknown>>;
  return Object.fromEntries(KEYS.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])));
}

/** The members of `from` that are no settings of a bridge port. */
export function withoutBridgePortValues<T extends object>(from: T): Omit<T, Key> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !Object.hasOwn(BRIDGE_PORT_OPTIONS, key))) as Omit<
    T,
    Key
  >;
}

/**
 * Settings that the ports of accepted tunnels have from the start: the row of a switch, and of a network. The command
 * line has them as `NAME=VALUE`, with the names of the flags of `setport`.
 */
export const TUNNEL_SETTINGS = {
  type: objectOf(BRIDGE_PORT_OPTIONS),
  rows: BRIDGE_PORT_OPTIONS,
  flag: '--tunnel-setting',
  metavar: 'NAME=VALUE',
  help: 'a setting that ports of accepted tunnels have from the start, such as isolated=1; repeatable; none: no more',
  defaultText: 'none',
} as const satisfies Row;

/** The values of several layers; a value of a later one has precedence. */
export function layeredValues(...layers: readonly BridgePortValues[]): BridgePortValues {
  return deviatingValues(Object.assign({}, ...layers));
}

/** The values that a port has for itself: those of `own` that differ from what it has otherwise. */
export function ownValues(otherwise: BridgePortValues, own: BridgePortValues): BridgePortValues {
  const differing = changedValues(otherwise, { ...otherwise, ...own });
  return Object.fromEntries(Object.entries(differing).filter(([key]) => Object.hasOwn(own, key)));
}

/** The values that are not the defaults. */
export function deviatingValues(values: BridgePortValues): BridgePortValues {
  return changedValues({}, values);
}

/** The settings that lead from `before` to `after`, with explicit defaults. Absent values are defaults in both. */
export function changedValues(before: BridgePortValues, after: BridgePortValues): BridgePortValues {
  return Object.fromEntries(
    KEYS.flatMap((key) => {
      const { default: fallback } = BRIDGE_PORT_OPTIONS[key];
      const value = after[key] ?? fallback;
      return isDeepStrictEqual(before[key] ?? fallback, value) ? [] : [[key, value]];
    }),
  );
}
