import type { StaticGroup } from '../bridge/multicast/multicast-settings.ts';
import { type BridgePortSettings, DEFAULT_SETTINGS } from '../bridge/port-settings.ts';
import { PortVlans } from '../bridge/port-vlans.ts';
import { type AdminPortSettings, DEFAULT_ADMIN_SETTINGS } from '../bridge/spanning-tree/settings.ts';
import { parseGroup } from '../schema/binding-values.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';
import { TPID_C_TAG, TPID_S_TAG } from '../wire/ethernet/tag.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import { IpWords } from '../wire/multicast/ip-words.ts';
import { securitySettingsOf } from './port-security-settings.ts';

/** Those of all ports without values, most of thousands. */
let usual: BridgePortSettings | undefined;

/** The settings of a bridge port from their values in the control API and in files; absent values are the defaults. */
export function settingsOf(values: BridgePortValues): BridgePortSettings {
  if (Object.keys(values).length > 0) return makeSettings(values);
  usual ??= makeSettings({});
  return usual;
}

function makeSettings(values: BridgePortValues): BridgePortSettings {
  const {
    isolated = DEFAULT_SETTINGS.isIsolated,
    multicastRouter = DEFAULT_SETTINGS.multicastRouter,
    fastLeave = DEFAULT_SETTINGS.fastLeave,
    multicastLimit = DEFAULT_SETTINGS.multicastLimit,
    multicastGroups = [],
    lldp = DEFAULT_SETTINGS.lldp,
    mirrorTo = '',
    mirrorDir = 'both',
    mirrorVlans = 'all',
  } = values;
  const mirror = {
    mirrorTo,
    mirrorDirection: mirrorDir,
    mirrorVlans: mirrorVlans === 'all' ? undefined : VidSet.parse(mirrorVlans),
  };
  const multicast = {
    ...{ multicastRouter, fastLeave, multicastLimit },
    multicastGroups: multicastGroups.map(staticGroup),
  };
  return {
    isIsolated: isolated,
    vlans: vlansOf(values),
    spanningTree: spanningTreeOf(values),
    lldp,
    ...mirror,
    ...multicast,
    ...securitySettingsOf(values),
  };
}

/** The group of a text that `parseGroup` takes. */
export function staticGroup(text: string): StaticGroup {
  const { octets = [], sourceOctets, vid = 0 } = parseGroup(text) ?? {};
  const source = sourceOctets === undefined ? undefined : wordsOf(sourceOctets);
  return { vid: vid as Vid, address: wordsOf(octets), source };
}

function wordsOf(octets: readonly number[]): IpWords {
  const words = new IpWords();
  if (octets.length === 4) words.readIpv4(Uint8Array.from(octets), 0);
  else words.readIpv6(Uint8Array.from(octets), 0);
  return words;
}

function vlansOf({
  vlanMode = 'transparent',
  pvid = 1,
  vlans = 'all',
  ethertype = '8100',
}: BridgePortValues): PortVlans | undefined {
  return PortVlans.of({
    mode: vlanMode,
    pvid: pvid as Vid,
    vlans: VidSet.parse(vlans) ?? VidSet.ALL,
    tpid: ethertype === '88a8' ? TPID_S_TAG : TPID_C_TAG,
  });
}

function spanningTreeOf(values: BridgePortValues): AdminPortSettings {
  const { pathCost, portPriority, edge, pointToPoint, bpduGuard, rootGuard, bpduFilter } = values;
  const defaults = DEFAULT_ADMIN_SETTINGS;
  return {
    pathCost: pathCost ?? defaults.pathCost,
    priority: portPriority ?? defaults.priority,
    edge: edge ?? defaults.edge,
    // Tunnels and devices are full-duplex links with one far end (IEEE 802.1D-2004, 6.4.3).
    isPointToPoint: pointToPoint !== 'off',
    hasBpduGuard: bpduGuard ?? defaults.hasBpduGuard,
    hasRootGuard: rootGuard ?? defaults.hasRootGuard,
    hasBpduFilter: bpduFilter ?? defaults.hasBpduFilter,
  };
}
