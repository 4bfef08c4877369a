import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { type VisitorLimits, Visitors } from './pending-connections.ts';

/** As much of a connection as visitors look at. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly localAddress: string = '127.0.0.1';
  readonly remoteAddress: string;
  readonly remotePort: number;
  static #nextPort = 1;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = FakeSocket.#nextPort++;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }
}

/** A door on a clock of the test's. */
class Lobby {
  readonly visitors: Visitors;

  constructor(limits: VisitorLimits = {}) {
    this.visitors = new Visitors({ timeoutMs: 1000, ...limits });
  }

  come(address = '192.0.2.1', isProxy = false): FakeSocket {
    const socket = new FakeSocket(address);
    assert.equal(this.visitors.enter(socket.asSocket, isProxy), !socket.destroyed);
    return socket;
  }
}

describe('how long a visitor may take', () => {
  test('from his coming to his first request, and from one answer to the next request', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const lobby = new Lobby();
    const { visitors } = lobby;
    const [silent, served] = [lobby.come(), lobby.come()];
    t.mock.timers.tick(999);
    visitors.busy(served.asSocket);
    t.mock.timers.tick(1);
    assert.deepEqual([silent.destroyed, served.destroyed], [true, false]);
    t.mock.timers.tick(100_000);
    assert.equal(served.destroyed, false, 'an answer has limits of its own');
    visitors.idle(served.asSocket);
    t.mock.timers.tick(999);
    assert.equal(served.destroyed, false);
    t.mock.timers.tick(1);
    assert.equal(served.destroyed, true);
    assert.equal(visitors.counters.dawdled, 2);
    assert.equal(visitors.size, 0);
  });

  test('who has become a tunnel is no visitor any more', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const lobby = new Lobby();
    const { visitors } = lobby;
    const tunnel = lobby.come();
    visitors.depart(tunnel.asSocket);
    t.mock.timers.tick(100_000);
    visitors.idle(tunnel.asSocket);
    visitors.busy(tunnel.asSocket);
    visitors.destroyAll();
    assert.equal(tunnel.destroyed, false);
    assert.equal(visitors.size, 0);
    assert.equal(visitors.counters.dawdled, 0);
  });
});

describe('who has to go', () => {
  test('for one more the one that has been idle longest, and nobody who is being answered', () => {
    const lobby = new Lobby({ maxVisitors: 3 });
    const [first, second, third] = [lobby.come(), lobby.come(), lobby.come()];
    lobby.visitors.busy(first.asSocket);
    lobby.come();
    assert.deepEqual([first.destroyed, second.destroyed, third.destroyed], [false, true, false]);
    lobby.visitors.busy(third.asSocket);
    lobby.visitors.idle(third.asSocket);
    lobby.visitors.idle(first.asSocket);
    lobby.come();
    assert.deepEqual([first.destroyed, third.destroyed], [false, false], 'behind an answer one is the last of all');
    assert.equal(lobby.visitors.counters.displaced, 2);
    assert.equal(lobby.visitors.size, 3);
    lobby.visitors.destroyAll();
  });

  test('the newcomer where all others are being answered', () => {
    const lobby = new Lobby({ maxVisitors: 2 });
    const all = [lobby.come(), lobby.come()];
    for (const visitor of all) lobby.visitors.busy(visitor.asSocket);
    assert.equal(lobby.come().destroyed, true);
    assert.ok(all.every(({ destroyed }) => !destroyed));
    assert.deepEqual([lobby.visitors.counters.full, lobby.visitors.size], [1, 2]);
    lobby.visitors.destroyAll();
  });

  test('who is more than the share of his address, or of his /64', () => {
    for (const [one, same, other] of [
      ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'],
      ['2001:db8::1', '2001:db8::ffff:1', '2001:db8:0:1::1'],
    ] as const) {
      const lobby = new Lobby({ maxPerAddress: 2 });
      const first = lobby.come(one);
      lobby.come(same);
      assert.equal(lobby.come(one).destroyed, true);
      assert.equal(lobby.come(other).destroyed, false);
      first.destroy();
      assert.equal(lobby.come(same).destroyed, false, 'a place that was left is free');
      assert.equal(lobby.visitors.counters.overAddressShare, 1);
      lobby.visitors.destroyAll();
    }
  });

  test('no share applies to a proxy, which stands for many', () => {
    const lobby = new Lobby({ maxPerAddress: 1 });
    const all = Array.from({ length: 10 }, () => lobby.come('10.0.0.1', true));
    assert.ok(all.every(({ destroyed }) => !destroyed));
    assert.equal(lobby.visitors.size, 10);
    lobby.visitors.destroyAll();
    assert.ok(all.every(({ destroyed }) => destroyed));
  });
});

describe('a connection of a proxy that says for whom it is', () => {
  test('counts for that client, and no longer for nobody', () => {
    const lobby = new Lobby({ maxPerAddress: 2 });
    const [first, second, third] = [
      lobby.come('10.0.0.1', true),
      lobby.come('10.0.0.1', true),
      lobby.come('10.0.0.1', true),
    ];
    lobby.come('192.0.2.1');
    assert.equal(lobby.visitors.attribute(first.asSocket, '192.0.2.1'), true);
    assert.equal(lobby.visitors.attribute(second.asSocket, '192.0.2.1'), false);
    assert.deepEqual([first.destroyed, second.destroyed], [false, true]);
    assert.equal(lobby.visitors.attribute(third.asSocket, '192.0.2.2'), true);
    assert.equal(lobby.come('192.0.2.1').destroyed, true, 'behind a proxy and not, it is one share');
    first.destroy();
    assert.equal(lobby.come('192.0.2.1').destroyed, false);
    assert.equal(lobby.visitors.counters.overAddressShare, 2);
    lobby.visitors.destroyAll();
  });

  test('is not taken when it has gone already', () => {
    const lobby = new Lobby();
    const gone = lobby.come('10.0.0.1', true);
    gone.destroy();
    assert.equal(lobby.visitors.attribute(gone.asSocket, '192.0.2.1'), false);
    assert.equal(lobby.visitors.size, 0);
  });
});

test('whatever happens, the bounds hold, counts are those of who is there, and no timer is left', () => {
  type Step = readonly ['come' | 'proxy' | 'busy' | 'idle' | 'depart' | 'close', number];
  const step = fc.tuple(
    fc.constantFrom<Step[0]>('come', 'come', 'proxy', 'busy', 'idle', 'depart', 'close'),
    fc.nat({ max: 20 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        const lobby = new Lobby({ maxVisitors: 6, maxPerAddress: 3 });
        let here: FakeSocket[] = [];
        for (const [what, which] of steps) {
          const socket = here[which % Math.max(here.length, 1)];
          if (what === 'come') here.push(lobby.come(`192.0.2.${which % 3}`));
          else if (what === 'proxy') here.push(lobby.come('10.0.0.1', true));
          else if (what === 'close') socket?.destroy();
          else if (socket !== undefined) lobby.visitors[what](socket.asSocket);
          if (what === 'depart') here = here.filter((other) => other !== socket);
          here = here.filter(({ destroyed }) => !destroyed);
          assert.equal(lobby.visitors.size, here.length);
          assert.ok(here.length <= 6);
        }
        lobby.visitors.destroyAll();
        assert.equal(lobby.visitors.size, 0);
        mock.timers.tick(1000);
        assert.equal(lobby.visitors.counters.dawdled, 0, 'no timer is left of anybody');
        for (let count = 0; count < 3; count++) assert.equal(lobby.come('192.0.2.1').destroyed, false);
        assert.equal(lobby.come('192.0.2.1').destroyed, true, 'the share of an address is whole again');
        lobby.visitors.destroyAll();
      } finally {
        mock.timers.reset();
      }
    }),
  );
});
