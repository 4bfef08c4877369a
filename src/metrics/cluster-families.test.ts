import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterFamilies, type MeasuredCluster } from './cluster-families.ts';

const mesh = (network: string, isUp: boolean, roundTripMs: number | null, via: string | null = null) => ({
  ...{ network, isUp, roundTripMs, via },
});
const CLUSTER: MeasuredCluster = {
  isStoreConnected: false,
  carried: 2,
  meshRefused: 3,
  members: [
    { node: 'r1', mesh: [] },
    { node: 'r2', mesh: [mesh('default', true, 1.5), mesh('lab', false, null, 'r3')] },
  ],
};

test('a node tells its store, the nodes, and the tunnel to each of them', () => {
  const lines = clusterFamilies(() => CLUSTER).flatMap(({ name, samples }) =>
    [...samples()].flatMap((sample) =>
      sample === undefined ? [] : [`${name.replace('etherws_cluster_', '')}{${sample.labels}} ${sample.value}`],
    ),
  );
  assert.deepEqual(lines, [
    'store_connected{} 0',
    'nodes{} 2',
    'carried{} 2',
    'mesh_refused{} 3',
    'mesh_up{node="r2",network="default"} 1',
    'mesh_up{node="r2",network="lab"} 0',
    'mesh_carried{node="r2",network="default"} 0',
    'mesh_carried{node="r2",network="lab"} 1',
    'mesh_round_trip_seconds{node="r2",network="default"} 0.0015',
  ]);
});

test('a switch that is no node tells nothing', () => {
  assert.deepEqual(clusterFamilies(undefined), []);
});
