import type { ClusterStore } from '../cluster/cluster-store.ts';
import type { Member } from '../cluster/membership.ts';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import type { ClusterStatus, MemberEntry } from '../control/cluster-status-entries.ts';
import type { MeshLink } from './mesh-links.ts';

const MOST_EXAMPLES = 5;

export interface ClusterFacts {
  readonly name: string;
  readonly own: NodeAnnouncement;
  readonly store: ClusterStore;
  /** since when the store is connected, or is not; clock: `performance.now` */
  readonly storeSinceMs: number;
  /** Whether another node has the name of this one, so that it takes no part. */
  readonly isTaken: boolean;
  readonly members: readonly Member[];
  readonly links: readonly MeshLink[];
  /** the number of pairs for which this node carries */
  readonly carried: number;
  /** as `ClusterStatus` has it */
  readonly refused: number | null;
  /** mesh tunnels that are left out at a bound */
  readonly left: readonly { readonly node: string; readonly network: string }[];
  /** as `ClusterStatus` has it */
  readonly meshRefused: number;
}

/** What `getStatus` says of the cluster. */
export function clusterStatus(facts: ClusterFacts): Omit<ClusterStatus, 'revision'> {
  const { name, own, store, storeSinceMs, isTaken, members, links, carried, refused, left, meshRefused } = facts;
  const self = memberEntry(own, 'self', []);
  const others = members.map(({ announcement, state }) =>
    memberEntry(
      announcement,
      state,
      links.filter(({ node }) => node === announcement.node),
    ),
  );
  return {
    name,
    node: own.node,
    isStoreConnected: store.isConnected,
    storeSeconds: seconds(storeSinceMs),
    isNameTaken: isTaken,
    carried,
    refused,
    left: {
      tunnels: left.length,
      examples: left.slice(0, MOST_EXAMPLES).map(({ node, network }) => ({ node, network })),
    },
    meshRefused,
    members: [self, ...others].sort((one, other) => (one.node < other.node ? -1 : 1)),
  };
}

function memberEntry(
  { node, url, version, networks, load, isDraining }: NodeAnnouncement,
  state: MemberEntry['state'],
  links: readonly MeshLink[],
): MemberEntry {
  return {
    node,
    state,
    url,
    version,
    networks: [...networks],
    isDraining,
    tunnels: load.tunnels,
    mostTunnels: load.mostTunnels,
    loopDelayMs: load.loopDelayMs,
    mesh: links.map(({ network, port, isDialled, isUp, roundTripMs, reason, sinceMs, via }) => ({
      network,
      port,
      isDialled,
      isUp,
      roundTripMs: roundTripMs ?? null,
      reason: isUp ? null : (reason ?? null),
      seconds: seconds(sinceMs),
      via: via ?? null,
    })),
  };
}

function seconds(sinceMs: number): number {
  return Math.floor((performance.now() - sinceMs) / 1000);
}
