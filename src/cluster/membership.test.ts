import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LEASE_MS, Membership, type MembershipChange } from './membership.ts';
import type { NodeAnnouncement, NodeFacts } from './node-announcement.ts';

const FACTS: NodeFacts = {
  url: 'ws://192.0.2.1/',
  version: '2',
  networks: ['default'],
  load: { tunnels: 0, mostTunnels: 10, loopDelayMs: 0 },
  isDraining: false,
  detours: {},
};

class Clock {
  readonly changes: string[] = [];
  readonly membership = new Membership({
    node: 'r1',
    boot: 'own',
    onChange: (change: MembershipChange) => this.changes.push(`${change.kind} ${change.node}`),
  });
  #nowMs = 0;

  constructor() {
    this.membership.setStore(true);
    this.pass(0);
  }

  /** Ticks four times a second. */
  pass(ms: number): void {
    for (const end = this.#nowMs + ms; this.#nowMs < end; ) this.jump(250);
    this.jump(0);
  }

  /** One tick after this time. */
  jump(ms: number): void {
    this.#nowMs += ms;
    this.membership.tick(this.#nowMs);
  }

  hear(announcement: Partial<NodeAnnouncement>): void {
    this.membership.heard({ protocol: 1, node: 'r2', boot: 'b', sequence: 1, ...FACTS, ...announcement });
  }
}

describe('the nodes of a cluster', () => {
  test('are those that announce themselves, until their lease ends', () => {
    const clock = new Clock();
    clock.hear({});
    assert.equal(clock.membership.get('r2')?.state, 'up');
    clock.pass(LEASE_MS - 250);
    clock.hear({ sequence: 2 });
    clock.pass(LEASE_MS - 250);
    assert.deepEqual(clock.changes, ['up r2']);
    clock.pass(500);
    assert.deepEqual(clock.changes, ['up r2', 'down r2']);
    assert.equal(clock.membership.size, 0);
  });

  test('an old or repeated announcement changes nothing, and renews no lease', () => {
    const clock = new Clock();
    clock.hear({ sequence: 5, networks: ['a'] });
    clock.pass(LEASE_MS - 250);
    for (const sequence of [5, 4]) clock.hear({ sequence, networks: ['old'] });
    assert.deepEqual(clock.membership.get('r2')?.announcement.networks, ['a']);
    clock.pass(500);
    assert.deepEqual(clock.changes, ['up r2', 'down r2']);
  });

  test('a change of what matters is told, a change of load is not', () => {
    const clock = new Clock();
    clock.hear({ sequence: 1 });
    clock.hear({ sequence: 2, load: { tunnels: 7, mostTunnels: 10, loopDelayMs: 3 } });
    clock.hear({ sequence: 3, networks: ['default', 'lab'] });
    clock.hear({ sequence: 4, networks: ['default', 'lab'], isDraining: true });
    assert.deepEqual(clock.changes, ['up r2', 'changed r2', 'changed r2']);
  });

  test('another start is a restart, whatever its numbers', () => {
    const clock = new Clock();
    clock.hear({ sequence: 100 });
    clock.hear({ sequence: 1, boot: 'c' });
    assert.deepEqual(clock.changes, ['up r2', 'restarted r2']);
  });

  test('a node that leaves is forgotten at once; a late farewell of its former start is ignored', () => {
    const clock = new Clock();
    clock.hear({ sequence: 1 });
    clock.hear({ sequence: 2, isLeaving: true });
    assert.deepEqual(clock.changes, ['up r2', 'down r2']);
    clock.hear({ sequence: 1, boot: 'c' });
    clock.hear({ sequence: 3, isLeaving: true });
    assert.deepEqual(clock.changes, ['up r2', 'down r2', 'up r2']);
  });

  test('without the store no lease ends, and with it all begin anew', () => {
    const clock = new Clock();
    clock.hear({});
    clock.membership.setStore(false);
    clock.pass(60_000);
    assert.equal(clock.membership.get('r2')?.state, 'late');
    clock.membership.setStore(true);
    clock.pass(LEASE_MS - 250);
    assert.deepEqual(clock.changes, ['up r2']);
    clock.pass(500);
    assert.deepEqual(clock.changes, ['up r2', 'down r2']);
  });

  test('a node to which a tunnel stands stays, and goes with the tunnel', () => {
    const clock = new Clock();
    clock.hear({});
    clock.membership.setTunnel('r2', true);
    clock.pass(60_000);
    assert.equal(clock.membership.get('r2')?.state, 'late');
    clock.membership.setTunnel('r2', false);
    clock.jump(250);
    assert.deepEqual(clock.changes, ['up r2', 'down r2']);
  });

  test('a process that was stopped for a minute forgets no node when it goes on', () => {
    const clock = new Clock();
    clock.hear({});
    clock.jump(60_000);
    assert.deepEqual(clock.changes, ['up r2']);
  });

  test('another node with the own name is a conflict; the own announcements are not', () => {
    const clock = new Clock();
    clock.membership.heard(clock.membership.announce(FACTS));
    assert.deepEqual(clock.changes, []);
    clock.hear({ node: 'r1', boot: 'other' });
    assert.deepEqual(clock.changes, ['conflict r1']);
    assert.equal(clock.membership.size, 0);
  });

  test('what is no announcement is ignored', () => {
    const clock = new Clock();
    for (const message of [null, 1, 'x', [], {}, { node: 'r2' }]) clock.membership.heard(message);
    for (const wrong of [
      { node: 'a b' },
      { node: 'a.b' },
      { boot: '' },
      { url: 7 },
      { url: 'http://a/' },
      { url: 'ws://' },
      { url: `ws://a/${'x'.repeat(3000)}` },
      { networks: [1] },
      { load: null },
    ]) {
      clock.hear(wrong as unknown as Partial<NodeAnnouncement>);
    }
    assert.deepEqual(clock.changes, []);
    clock.hear({ later: 'a field of a later version' } as unknown as Partial<NodeAnnouncement>);
    assert.deepEqual(clock.changes, ['up r2']);
  });
});
