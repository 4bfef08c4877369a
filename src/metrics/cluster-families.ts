import { type Family, labelsOf, single } from './exposition.ts';

/** What is measured of a cluster, as its node sees it. */
export interface MeasuredCluster {
  readonly isStoreConnected: boolean;
  readonly carried: number;
  readonly meshRefused: number;
  readonly members: readonly {
    readonly node: string;
    readonly mesh: readonly {
      readonly network: string;
      readonly isUp: boolean;
      readonly roundTripMs: number | null;
      readonly via: string | null;
    }[];
  }[];
}

type Link = MeasuredCluster['members'][number]['mesh'][number];

/** The metrics of a node of a cluster; none for another switch. */
export function clusterFamilies(cluster: (() => MeasuredCluster) | undefined): Family[] {
  if (cluster === undefined) return [];
  const ofLinks = (head: Omit<Family, 'samples'>, value: (link: Link) => number | undefined): Family => ({
    ...head,
    *samples() {
      for (const { node, mesh } of cluster().members) {
        for (const link of mesh) {
          const measured = value(link);
          if (measured !== undefined) yield { labels: labelsOf({ node, network: link.network }), value: measured };
        }
      }
    },
  });
  return [
    single(
      { name: 'etherws_cluster_store_connected', type: 'gauge', help: 'Whether the store of the cluster is connected' },
      () => Number(cluster().isStoreConnected),
    ),
    single({ name: 'etherws_cluster_nodes', type: 'gauge', help: 'Living nodes, this one included' }, () => {
      return cluster().members.length;
    }),
    single(
      { name: 'etherws_cluster_carried', type: 'gauge', help: 'Pairs of other nodes for which this node carries' },
      () => cluster().carried,
    ),
    single(
      {
        name: 'etherws_cluster_mesh_refused',
        type: 'counter',
        help: 'Mesh tunnels of automatic networks that this node has refused at its bound',
      },
      () => cluster().meshRefused,
    ),
    ofLinks(
      { name: 'etherws_cluster_mesh_up', type: 'gauge', help: 'Whether the tunnel to a node stands' },
      ({ isUp }) => Number(isUp),
    ),
    ofLinks(
      {
        name: 'etherws_cluster_mesh_carried',
        type: 'gauge',
        help: 'Whether a third node carries the tunnel to a node',
      },
      ({ via }) => Number(via !== null),
    ),
    ofLinks(
      {
        name: 'etherws_cluster_mesh_round_trip_seconds',
        type: 'gauge',
        unit: 'seconds',
        help: 'Last round trip of the tunnel to a node',
      },
      ({ roundTripMs }) => (roundTripMs === null ? undefined : roundTripMs / 1000),
    ),
  ];
}
