import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusEntry } from '../control/schema.ts';
import { findingsOf } from './status-findings.ts';

const WELL: StatusEntry = {
  ...{ version: '2', pid: 1, uptimeSeconds: 1, services: [], faults: [] },
  ports: { up: 3, shut: 1 },
  tunnels: { dialled: 0, accepted: 0, users: 0 },
  fdb: { addresses: 1, capacity: 100 },
  memory: { residentBytes: 1, heapBytes: 1, bufferBytes: 0 },
  eventLoop: { meanMs: 0.2, p99Ms: 1, maxMs: 3 },
  limits: [{ limit: '--fdb-size', used: 79, most: 100 }],
  configuration: { file: '/etc/etherws/etherws.yaml', deviations: [] },
};

function briefly(change: Partial<StatusEntry>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    findingsOf({ ...WELL, ...change }).map(({ check, result, found }) => [check, `${result}: ${found}`]),
  );
}

test('a switch that is well has good findings only', () => {
  assert.deepEqual(briefly({}), {
    ports: 'ok: 4 ports; none is without its connection or link',
    limits: 'ok: none is near',
    'event loop': 'ok: late by 0.2 ms on average, 3.0 ms once (last minute)',
    discards: 'ok: no frame was discarded for a fault',
    configuration: 'ok: the switch runs as /etc/etherws/etherws.yaml says',
  });
  assert.ok(!('configuration' in briefly({ configuration: { file: null, deviations: [] } })));
});

test('ports without a connection, near limits, a late event loop, discards and deviations are told, with advice', () => {
  const ill: Partial<StatusEntry> = {
    ports: { up: 1, backoff: 2, down: 1 },
    limits: [
      { limit: '--fdb-size', used: 80, most: 100 },
      { limit: '--max-tunnels', used: 7, most: 7 },
      { limit: 'descriptors', used: 1, most: 100 },
    ],
    eventLoop: { meanMs: 1, p99Ms: 70, maxMs: 80 },
    faults: [
      { port: 3, portName: null, direction: 'rx', reason: 'macLimit', frames: 5 },
      { port: 4, portName: 'a', direction: 'tx', reason: 'tooLong', frames: 1 },
    ],
    configuration: { file: 'f.yaml', deviations: ['one'] },
  };
  assert.deepEqual(briefly(ill), {
    ports: 'warn: of 4 ports: 2 backoff, 1 down',
    '--fdb-size': 'warn: 80 of 100 used, 80 %',
    '--max-tunnels': 'fail: 7 of 7 used, 100 %',
    'event loop': 'warn: late by 1.0 ms on average, 80.0 ms once (last minute)',
    discards: 'warn: 6 frames discarded for faults since the start; most of them: macLimit at port 3',
    configuration: 'warn: the running state differs from f.yaml in 1 place',
  });
  for (const { check, result, advice } of findingsOf({ ...WELL, ...ill })) {
    assert.equal(advice !== undefined, result !== 'ok', check);
  }
});

test('a node of a cluster tells whether it has the store, its name and a tunnel to each other node', () => {
  const member = (node: string, isUp: boolean, state: 'self' | 'up' | 'late' = 'up') => {
    const mesh = {
      network: 'default',
      port: 4,
      isDialled: true,
      isUp,
      roundTripMs: 1,
      reason: null,
      seconds: 9,
      via: null,
    };
    const load = { tunnels: 0, mostTunnels: 9, loopDelayMs: 0 };
    return {
      ...{ node, state, url: null, version: '2', networks: ['default'], isDraining: false, ...load },
      mesh: state === 'self' ? [] : [mesh],
    };
  };
  const members = [member('r1', true, 'self'), member('r2', true)];
  const cluster = {
    name: 'lab',
    node: 'r1',
    isStoreConnected: true,
    storeSeconds: 7,
    revision: 3,
    isNameTaken: false,
    carried: 0,
    meshRefused: 0,
    refused: null,
    left: { tunnels: 0, examples: [] },
  };
  const told = (change: Partial<NonNullable<StatusEntry['cluster']>>) => {
    const all = briefly({ cluster: { ...cluster, members, ...change } });
    return Object.entries(all).flatMap(([check, text]) => (check.startsWith('cluster') ? [`${check}: ${text}`] : []));
  };
  assert.deepEqual(told({}), ['cluster: ok: lab: node r1 and 1 other, all reached']);
  assert.deepEqual(told({ isStoreConnected: false }), [
    'cluster store: warn: without the store for 7 s; it runs on revision 3',
  ]);
  assert.deepEqual(told({ isNameTaken: true }), ['cluster: fail: another node of lab is called r1']);
  assert.deepEqual(told({ members: [...members, member('r3', false, 'late')] }), [
    'cluster: warn: not heard of lately: r3',
    'cluster mesh: fail: without a tunnel to r3',
  ]);
});
