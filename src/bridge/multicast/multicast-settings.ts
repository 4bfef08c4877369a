import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import type { IpWords } from '../../wire/multicast/ip-words.ts';

/** How a port becomes a router port: by what it hears, always, or never (`mcast_router` of bridge(8): 1, 2, 0). */
export type RouterMode = 'auto' | 'on' | 'off';

/** The settings of multicast snooping of a network. */
export interface MulticastOptions {
  /** The MAC address of the switch in the network: the source of its queries. */
  readonly mac: MacAddress;
  /** Whether the switch is a querier where no better one is heard. */
  readonly isQuerier: boolean;
  readonly timers?: MulticastTimers | undefined;
  readonly limits?: Partial<MulticastLimits> | undefined;
}

/** The settings of multicast snooping of a port. */
export interface PortMulticastSettings {
  readonly multicastRouter: RouterMode;
  /** Whether a leave ends the membership at once, without a query; for ports with one host. */
  readonly fastLeave: boolean;
  /** The most memberships of the port. A further one is refused, and counted. */
  readonly multicastLimit: number;
  /** The groups, or sources of groups, of which it is always a member (`bridge mdb add … permanent`). They do not count for the limit. */
  readonly multicastGroups: readonly StaticGroup[];
}

/** A multicast group in a VLAN. */
export interface StaticGroup {
  readonly vid: Vid;
  readonly address: IpWords;
  /** Only frames of this source; undefined: of all. */
  readonly source?: IpWords | undefined;
}

export const DEFAULT_MULTICAST_LIMIT = 512;

export const PORT_MULTICAST_DEFAULTS: PortMulticastSettings = {
  multicastRouter: 'auto',
  fastLeave: false,
  multicastLimit: DEFAULT_MULTICAST_LIMIT,
  multicastGroups: [],
};

/**
 * The timers and counts of RFC 3376, 8, which are those of RFC 3810, 9: times in ms. Their defaults are those of the RFCs
 * and of the Linux bridge.
 */
export interface MulticastTimers {
  /** How many queries may be lost. */
  readonly robustness: number;
  readonly queryIntervalMs: number;
  readonly queryResponseIntervalMs: number;
  /** Also the Older Host Present Interval, which has the same formula (RFC 3376, 8.13; RFC 3810, 9.13). */
  readonly groupMembershipIntervalMs: number;
  readonly otherQuerierPresentIntervalMs: number;
  readonly startupQueryIntervalMs: number;
  readonly startupQueryCount: number;
  readonly lastMemberQueryIntervalMs: number;
  readonly lastMemberQueryCount: number;
  /**
   * For how long all groups are sent by a port that begins to forward, while the hosts behind it answer a query. Not of
   * the RFCs: a tunnel that is dialled anew brings its hosts with it, and these do not see it. 0: never, as in Linux.
   */
  readonly newPortIntervalMs: number;
}

export const MULTICAST_TIMERS: MulticastTimers = {
  robustness: 2,
  queryIntervalMs: 125_000,
  queryResponseIntervalMs: 10_000,
  groupMembershipIntervalMs: 260_000,
  otherQuerierPresentIntervalMs: 255_000,
  startupQueryIntervalMs: 31_250,
  startupQueryCount: 2,
  lastMemberQueryIntervalMs: 1000,
  lastMemberQueryCount: 2,
  newPortIntervalMs: 11_000,
};

/** The bounds of a network's memory. */
export interface MulticastLimits {
  /** The most groups, counted for each VID (`mcast_hash_max` of bridge(8)). */
  readonly groups: number;
  /** The most memberships: pairs of a group and a port. */
  readonly memberships: number;
  /** The most sources in the lists of all memberships. One port has half of them at most, n ports together n/(n + 1). */
  readonly sources: number;
  /** The most sources in the list of one membership, as in Linux (PG_SRC_ENT_LIMIT). */
  readonly sourcesOfMember: number;
}

export const MULTICAST_LIMITS: MulticastLimits = {
  groups: 4096,
  memberships: 65_536,
  sources: 32_768,
  sourcesOfMember: 32,
};
