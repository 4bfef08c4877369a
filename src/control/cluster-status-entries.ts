import * as v from 'valibot';
import { atLeast } from '../schema/table.ts';
import { anyText, flag, integer, listOf, measure, oneOf } from '../schema/types.ts';

/** What a node says of its cluster: a member of the result of `getStatus`. */

const count = integer(0);

/** A mesh tunnel of this node to another one, for one network. */
const meshEntry = atLeast({
  network: anyText,
  /** the number of the port */
  port: count,
  isDialled: flag,
  isUp: flag,
  roundTripMs: v.nullable(measure),
  /** why it is not up; null while it is */
  reason: v.nullable(anyText),
  /** since when it is up, or is not */
  seconds: count,
  /** the node through which it goes; null: directly */
  via: v.nullable(anyText),
});

const memberEntry = atLeast({
  node: anyText,
  /** `late`: its announcements are missing, but a tunnel to it stands, or this node has no store */
  state: oneOf(['self', 'up', 'late']),
  /** null: it only dials */
  url: v.nullable(anyText),
  version: anyText,
  /** those with ports of its own */
  networks: listOf(anyText),
  isDraining: flag,
  tunnels: count,
  mostTunnels: count,
  loopDelayMs: measure,
  mesh: listOf(meshEntry),
});

export const clusterStatus = atLeast({
  name: anyText,
  /** the name of this node */
  node: anyText,
  isStoreConnected: flag,
  /** since when that is so */
  storeSeconds: count,
  /** the revision of the networks and the policy that it runs on; 0: the cluster has none */
  revision: count,
  /** Whether another living node has this name, so that this one takes no part. */
  isNameTaken: flag,
  /** the number of pairs of other nodes for which this one carries */
  carried: count,
  /** messages and values of the store that were refused without the secret of the cluster; null: this node has none */
  refused: v.nullable(count),
  /** the mesh tunnels of automatic networks that are left out, since there are as many as `--auto-net-mesh` allows, and some of them */
  left: atLeast({ tunnels: count, examples: listOf(atLeast({ node: anyText, network: anyText })) }),
  /** how often this node has refused a mesh tunnel of an automatic network to another one, since it has as many as it may */
  meshRefused: count,
  /** by name, this node included */
  members: listOf(memberEntry),
});

/** Without the index signatures that `atLeast` adds. */
export interface MeshEntry {
  readonly network: string;
  readonly port: number;
  readonly isDialled: boolean;
  readonly isUp: boolean;
  readonly roundTripMs: number | null;
  readonly reason: string | null;
  readonly seconds: number;
  readonly via: string | null;
}

export interface MemberEntry {
  readonly node: string;
  readonly state: 'self' | 'up' | 'late';
  readonly url: string | null;
  readonly version: string;
  readonly networks: string[];
  readonly isDraining: boolean;
  readonly tunnels: number;
  readonly mostTunnels: number;
  readonly loopDelayMs: number;
  readonly mesh: MeshEntry[];
}

export interface ClusterStatus {
  readonly name: string;
  readonly node: string;
  readonly isStoreConnected: boolean;
  readonly storeSeconds: number;
  readonly revision: number;
  readonly isNameTaken: boolean;
  readonly carried: number;
  readonly refused: number | null;
  readonly left: { readonly tunnels: number; readonly examples: { readonly node: string; readonly network: string }[] };
  readonly meshRefused: number;
  readonly members: MemberEntry[];
}
