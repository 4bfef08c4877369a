import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { PendingConnections, type PendingLimits } from './pending-connections.ts';

/** The members of a socket that PendingConnections uses. */
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

/** The turn of the loop, not mocked, that a limit gives before it cuts. */
const turn = (): Promise<void> => new Promise<void>(setImmediate);

/** PendingConnections with a clock that the test drives. */
class FakeListener {
  readonly pending: PendingConnections;

  constructor(limits: PendingLimits = {}) {
    this.pending = new PendingConnections({ timeoutMs: 1000, ...limits });
  }

  accept(address = '192.0.2.1', isProxy = false): FakeSocket {
    const socket = new FakeSocket(address);
    assert.equal(this.pending.add(socket.asSocket, isProxy), !socket.destroyed);
    return socket;
  }
}

describe('how long a pending connection may take', () => {
  test('from the connection to its first request, and from one answer to the next request', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const listener = new FakeListener();
    const { pending } = listener;
    const [silent, served] = [listener.accept(), listener.accept()];
    t.mock.timers.tick(999);
    pending.busy(served.asSocket);
    await turn();
    assert.deepEqual([silent.destroyed, served.destroyed], [false, false]);
    t.mock.timers.tick(1);
    await turn();
    assert.deepEqual([silent.destroyed, served.destroyed], [true, false]);
    t.mock.timers.tick(100_000);
    await turn();
    assert.equal(served.destroyed, false, 'an answer has limits of its own');
    pending.idle(served.asSocket);
    t.mock.timers.tick(999);
    await turn();
    assert.equal(served.destroyed, false);
    t.mock.timers.tick(1);
    await turn();
    assert.equal(served.destroyed, true);
    assert.equal(pending.counters.handshakeTimeouts, 2);
    assert.equal(pending.size, 0);
  });

  test('what comes in the turn behind the end of the limit still counts', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const listener = new FakeListener();
    const { pending } = listener;
    const [asking, upgraded, silent] = [listener.accept(), listener.accept(), listener.accept()];
    t.mock.timers.tick(1000);
    pending.busy(asking.asSocket);
    pending.remove(upgraded.asSocket);
    await turn();
    assert.deepEqual([asking.destroyed, upgraded.destroyed, silent.destroyed], [false, false, true]);
    pending.destroyAll();
  });

  test('a connection that has become a tunnel is pending no more', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const listener = new FakeListener();
    const { pending } = listener;
    const tunnel = listener.accept();
    pending.remove(tunnel.asSocket);
    t.mock.timers.tick(100_000);
    await turn();
    pending.idle(tunnel.asSocket);
    pending.busy(tunnel.asSocket);
    pending.destroyAll();
    assert.equal(tunnel.destroyed, false);
    assert.equal(pending.size, 0);
    assert.equal(pending.counters.handshakeTimeouts, 0);
  });
});

describe('which connection is closed', () => {
  test('for one more the one that has been idle longest, and none that is being answered', () => {
    const listener = new FakeListener({ maxPending: 3 });
    const [first, second, third] = [listener.accept(), listener.accept(), listener.accept()];
    listener.pending.busy(first.asSocket);
    listener.accept();
    assert.deepEqual([first.destroyed, second.destroyed, third.destroyed], [false, true, false]);
    listener.pending.busy(third.asSocket);
    listener.pending.idle(third.asSocket);
    listener.pending.idle(first.asSocket);
    listener.accept();
    assert.deepEqual([first.destroyed, third.destroyed], [false, false], 'behind an answer one is the last of all');
    assert.equal(listener.pending.counters.displaced, 2);
    assert.equal(listener.pending.size, 3);
    listener.pending.destroyAll();
  });

  test('other limits count for connections to come, and absent ones have their defaults', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const listener = new FakeListener({ maxPending: 1 });
    const first = listener.accept();
    listener.pending.setLimits({ maxPending: 2, maxPerAddress: 1 });
    const second = listener.accept('192.0.2.2');
    assert.deepEqual([first.destroyed, second.destroyed, listener.accept('192.0.2.2').destroyed], [false, false, true]);
    t.mock.timers.tick(1000);
    await turn();
    assert.deepEqual([first.destroyed, second.destroyed], [true, false]);
    t.mock.timers.tick(9000);
    await turn();
    assert.equal(second.destroyed, true);
  });

  test('one whose caller is not proven, the one whose request began first', () => {
    const listener = new FakeListener({ maxPending: 3 });
    const { pending } = listener;
    const [proven, first, second] = [listener.accept(), listener.accept(), listener.accept()];
    pending.busy(second.asSocket);
    pending.busy(first.asSocket);
    pending.busy(proven.asSocket);
    pending.proven(proven.asSocket);
    const idle = listener.accept();
    assert.deepEqual([proven.destroyed, first.destroyed, second.destroyed], [false, false, true]);
    listener.accept();
    assert.deepEqual([first.destroyed, idle.destroyed], [false, true], 'rather an idle one');
    pending.destroyAll();
  });

  test('the newest where all others are of proven callers and being answered', () => {
    const listener = new FakeListener({ maxPending: 2 });
    const all = [listener.accept(), listener.accept()];
    for (const one of all) {
      listener.pending.busy(one.asSocket);
      listener.pending.proven(one.asSocket);
    }
    assert.equal(listener.accept().destroyed, true);
    assert.ok(all.every(({ destroyed }) => !destroyed));
    assert.deepEqual([listener.pending.counters.full, listener.pending.size], [1, 2]);
    listener.pending.destroyAll();
  });

  test('one beyond the share of its address, or of its /64', () => {
    for (const [one, same, other] of [
      ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'],
      ['2001:db8::1', '2001:db8::ffff:1', '2001:db8:0:1::1'],
    ] as const) {
      const listener = new FakeListener({ maxPerAddress: 2 });
      const first = listener.accept(one);
      listener.accept(same);
      assert.equal(listener.accept(one).destroyed, true);
      assert.equal(listener.accept(other).destroyed, false);
      first.destroy();
      assert.equal(listener.accept(same).destroyed, false, 'a place that was left is free');
      assert.equal(listener.pending.counters.overAddressShare, 1);
      listener.pending.destroyAll();
    }
  });

  test('no share applies to a proxy, which stands for many', () => {
    const listener = new FakeListener({ maxPerAddress: 1 });
    const all = Array.from({ length: 10 }, () => listener.accept('10.0.0.1', true));
    assert.ok(all.every(({ destroyed }) => !destroyed));
    assert.equal(listener.pending.size, 10);
    listener.pending.destroyAll();
    assert.ok(all.every(({ destroyed }) => destroyed));
  });
});

describe('a connection of a proxy that names its client', () => {
  test('counts for that client, and no longer for none', () => {
    const listener = new FakeListener({ maxPerAddress: 2 });
    const [first, second, third] = [
      listener.accept('10.0.0.1', true),
      listener.accept('10.0.0.1', true),
      listener.accept('10.0.0.1', true),
    ];
    listener.accept('192.0.2.1');
    assert.equal(listener.pending.attribute(first.asSocket, '192.0.2.1'), true);
    assert.equal(listener.pending.attribute(second.asSocket, '192.0.2.1'), false);
    assert.deepEqual([first.destroyed, second.destroyed], [false, true]);
    assert.equal(listener.pending.attribute(third.asSocket, '192.0.2.2'), true);
    assert.equal(listener.accept('192.0.2.1').destroyed, true, 'behind a proxy and not, it is one share');
    first.destroy();
    assert.equal(listener.accept('192.0.2.1').destroyed, false);
    assert.equal(listener.pending.counters.overAddressShare, 2);
    listener.pending.destroyAll();
  });

  test('is not taken when it has gone already', () => {
    const listener = new FakeListener();
    const gone = listener.accept('10.0.0.1', true);
    gone.destroy();
    assert.equal(listener.pending.attribute(gone.asSocket, '192.0.2.1'), false);
    assert.equal(listener.pending.size, 0);
  });
});

test('whatever happens, the bounds hold, counts are those of the open connections, and no timer is left', async () => {
  type Step = readonly ['come' | 'proxy' | 'busy' | 'proven' | 'idle' | 'remove' | 'close', number];
  const step = fc.tuple(
    fc.constantFrom<Step[0]>('come', 'come', 'proxy', 'busy', 'proven', 'idle', 'remove', 'close'),
    fc.nat({ max: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        const listener = new FakeListener({ maxPending: 6, maxPerAddress: 3 });
        let here: FakeSocket[] = [];
        for (const [what, which] of steps) {
          const socket = here[which % Math.max(here.length, 1)];
          if (what === 'come') here.push(listener.accept(`192.0.2.${which % 3}`));
          else if (what === 'proxy') here.push(listener.accept('10.0.0.1', true));
          else if (what === 'close') socket?.destroy();
          else if (socket !== undefined) listener.pending[what](socket.asSocket);
          if (what === 'remove') here = here.filter((other) => other !== socket);
          here = here.filter(({ destroyed }) => !destroyed);
          assert.equal(listener.pending.size, here.length);
          assert.ok(here.length <= 6);
        }
        listener.pending.destroyAll();
        assert.equal(listener.pending.size, 0);
        mock.timers.tick(1000);
        await turn();
        assert.equal(listener.pending.counters.handshakeTimeouts, 0, 'no timer is left');
        for (let count = 0; count < 3; count++) assert.equal(listener.accept('192.0.2.1').destroyed, false);
        assert.equal(listener.accept('192.0.2.1').destroyed, true, 'the share of an address is whole again');
        listener.pending.destroyAll();
      } finally {
        mock.timers.reset();
      }
    }),
  );
});
