import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS, Membership, SOUGHT_MS } from './membership.ts';
import type { NodeFacts } from './node-announcement.ts';

const FACTS: NodeFacts = {
  url: 'ws://r2.example/',
  version: '2',
  networks: ['default'],
  load: { tunnels: 0, mostTunnels: 1, loopDelayMs: 0 },
  isDraining: false,
  detours: {},
};

function pair(): { changes: string[]; own: Membership; other: Membership; pass: (ms: number) => void } {
  const changes: string[] = [];
  const own = new Membership({
    node: 'r1',
    boot: 'a',
    onChange: ({ kind, node }) => changes.push(`${kind} ${node}`),
  });
  const other = new Membership({ node: 'r2', boot: 'b', onChange: () => undefined });
  own.setStore(true);
  let nowMs = 0;
  own.tick(nowMs);
  const pass = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 500) own.tick(nowMs + 500);
  };
  return { changes, own, other, pass };
}

const wanted = (membership: Membership): string => [...membership.wanted()].map(({ node }) => node).join();

test('a node whose lease has ended is dialled further, and is a member again when a tunnel stands', () => {
  const { changes, own, other, pass } = pair();
  own.heard(other.announce(FACTS));
  pass(LEASE_MS + 1000);
  assert.deepEqual(changes, ['up r2', 'down r2']);
  assert.deepEqual([own.size, wanted(own)], [0, 'r2']);
  own.setTunnel('r2', true);
  pass(LEASE_MS + 1000);
  assert.deepEqual([own.get('r2')?.state, changes.at(-1)], ['late', 'up r2']);
  own.heard(other.announce(FACTS));
  assert.equal(own.get('r2')?.state, 'up');
  own.setTunnel('r2', false);
  pass(LEASE_MS + 1000);
  assert.deepEqual(changes, ['up r2', 'down r2', 'up r2', 'down r2']);
});

test('it is no longer dialled after a while, when it says that it leaves, or when it is heard as another start', () => {
  const { changes, own, other, pass } = pair();
  own.heard(other.announce(FACTS));
  pass(LEASE_MS + 1000);
  pass(SOUGHT_MS);
  assert.deepEqual([wanted(own), changes.at(-1)], ['', 'unsought r2']);

  own.heard(other.announce(FACTS));
  pass(LEASE_MS + 1000);
  own.heard(other.announce(FACTS, true));
  assert.equal(wanted(own), '');

  own.heard(other.announce(FACTS));
  pass(LEASE_MS + 1000);
  own.heard(new Membership({ node: 'r2', boot: 'c', onChange: () => undefined }).announce(FACTS));
  assert.deepEqual([own.size, own.wantedOne('r2')?.boot], [1, 'c']);
});
