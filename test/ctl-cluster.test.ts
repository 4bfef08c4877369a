import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterTable } from '../src/cli/ctl/nodes/cluster.ts';
import type { MemberEntry, MeshEntry } from '../src/control/cluster-status-entries.ts';

const link: MeshEntry = {
  ...{
    network: 'default',
    port: 3,
    isDialled: true,
    isUp: true,
    roundTripMs: 1.26,
    reason: null,
    seconds: 5,
    via: null,
  },
};

function member(node: string, state: MemberEntry['state'], ...mesh: MeshEntry[]): MemberEntry {
  const load = { tunnels: 2, mostTunnels: 1000, loopDelayMs: 0 };
  return { node, state, url: null, version: '2', networks: ['default'], isDraining: state === 'late', ...load, mesh };
}

test('ctl cluster lists members, the mesh tunnels to them and detours, below a line about the store', () => {
  const members = [
    member('r1', 'self'),
    member('r2', 'up', link, { ...link, network: 'lab', via: 'r3' }),
    member('r3', 'late'),
  ];
  const facts = {
    name: 'prod',
    node: 'r1',
    storeSeconds: 7,
    revision: 0,
    isNameTaken: false,
    carried: 0,
    meshRefused: 0,
    refused: null,
    left: { tunnels: 0, examples: [] },
    members,
  };
  const [head, ...rows] = clusterTable({ ...facts, isStoreConnected: false })
    .trimEnd()
    .split('\n');
  assert.equal(head, 'Cluster prod, node r1: without the store for 7 s');
  assert.deepEqual(
    rows.slice(1).map((row) => row.trim().split(/\s+/).join(' ')),
    [
      'r1 self 2 - - - - - 2 -',
      'r2 up 2 default 3 up - 1.3 2 -',
      'r2 up 2 lab 3 up r3 1.3 2 -',
      'r3 late,draining 2 - - - - - 2 -',
    ],
  );
  assert.match(clusterTable({ ...facts, isStoreConnected: true }), /^Cluster prod, node r1: the store is there\n/);
  const [, taken] = clusterTable({ ...facts, isStoreConnected: true, isNameTaken: true }).split('\n');
  assert.match(taken ?? '', /^Another living node has this name: this one takes no part/);
  assert.match(clusterTable(undefined), /^This switch is no node of a cluster: .*\n$/);
});
