import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mdbOf } from './merged-entries.ts';

const FIRST = { network: 'lab', vid: 0 };

test('the multicast database of all processes has each member once, and the switch as a querier once', () => {
  const ports = [
    { type: 'tap', port: 1 },
    { type: 'mesh', port: 2 },
    { type: 'server', port: 500_000_001 },
    { type: 'mesh', port: 500_000_002 },
  ];
  const own = { ...FIRST, kind: 'querier', address: '0.0.0.0', port: null };
  const member = { ...FIRST, kind: 'member', address: '239.1.2.3' };
  const entries = [
    own,
    { ...FIRST, kind: 'router', address: '224.0.0.0/4', port: 2 },
    { ...member, port: 1 },
    { ...member, port: 2 },
    own,
    { ...own, vid: 5 },
    { ...own, network: 'other' },
    { ...FIRST, kind: 'querier', address: '192.0.2.1', port: 500_000_002 },
    { ...member, port: 500_000_001 },
    { ...member, port: 500_000_002 },
  ];
  assert.deepEqual(mdbOf(entries, ports), [
    own,
    { ...member, port: 1 },
    { ...own, vid: 5 },
    { ...own, network: 'other' },
    { ...member, port: 500_000_001 },
  ]);
});
