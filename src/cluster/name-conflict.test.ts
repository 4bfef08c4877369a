import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameConflict } from './name-conflict.ts';
import type { NodeAnnouncement } from './node-announcement.ts';

const announcement = (boot: string, more: Partial<NodeAnnouncement> = {}): NodeAnnouncement => ({
  ...{ protocol: 1, node: 'r1', boot, sequence: 1, url: 'ws://192.0.2.1/', version: '2', networks: [] },
  ...{ load: { tunnels: 0, mostTunnels: 1, loopDelayMs: 0 }, isDraining: false, detours: {}, intervalMs: 1000 },
  ...more,
});

test('the start with the lower id keeps the name', () => {
  const conflict = new NameConflict('m');
  assert.equal(conflict.heard(announcement('z')), false);
  assert.equal(conflict.winner?.boot, undefined);
  assert.equal(conflict.heard(announcement('a')), true);
  assert.equal(conflict.winner?.boot, 'a');
  assert.equal(conflict.heard(announcement('a')), false, 'it is told of once');
});

test('a name is free when its node has said that it leaves, and no other start of it has', () => {
  const conflict = new NameConflict('m');
  conflict.heard(announcement('b'));
  assert.equal(conflict.heard(announcement('c', { isLeaving: true })), false);
  assert.equal(conflict.winner?.boot, 'b');
  assert.equal(conflict.heard(announcement('b', { isLeaving: true })), true);
  assert.equal(conflict.winner?.boot, undefined);
});

test('a name is free behind three leases of silence, of which a sleep of this process and a lost store are none', () => {
  const conflict = new NameConflict('m');
  let nowMs = 0;
  /** @returns after how many milliseconds the name is free; undefined: it is not */
  const silence = (forMs: number, isListening = true): number | undefined => {
    for (let passedMs = 250; passedMs <= forMs; passedMs += 250) {
      nowMs += 250;
      if (conflict.tick(nowMs, isListening)) return passedMs;
    }
    return undefined;
  };
  conflict.tick(nowMs, true);
  conflict.heard(announcement('a'));
  assert.equal(silence(8000), undefined);
  conflict.heard(announcement('a'));
  nowMs += 3_600_000;
  assert.equal(conflict.tick(nowMs, true), false);
  assert.equal(silence(60_000, false), undefined);
  assert.equal(silence(60_000), 9000);
  assert.equal(conflict.winner?.boot, undefined);
  conflict.heard(announcement('a', { intervalMs: 10_000 }));
  assert.equal(silence(100_000), 90_000, 'three intervals are a lease of a node in a large cluster');
});
