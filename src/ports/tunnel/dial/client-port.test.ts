import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openDescriptors } from '../../../../test/support/descriptors.ts';
import { MemoryTransport } from '../../../../test/support/memory-transport.ts';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { fakeAnswer, once, within } from '../../../../test/support/waits.ts';
import { TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import { EtherwsError } from '../../../errors.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE } from '../../../wire/offload/virtio-header.ts';
import { PACKINGS, type Wire } from '../../stream/packing.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { ClientPort, type ClientPortOptions } from './client-port.ts';
import { dialTunnel } from './dial-tunnel.ts';

/** A server in memory: the test says of each attempt to dial whether it is accepted or refused. */
class Doorway {
  readonly far: TunnelPort[] = [];
  readonly answers: (Wire | EtherwsError)[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #asked: (() => void)[] = [];

  readonly connect = async (signal: AbortSignal): Promise<TunnelPort> => {
    this.signals.push(signal);
    for (const resolve of this.#asked.splice(0)) resolve();
    const answer = this.answers.shift();
    if (answer instanceof EtherwsError) throw answer;
    if (answer === undefined) {
      const { answer: tunnel, reject } = fakeAnswer<TunnelPort>();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      return tunnel;
    }
    const [near, far] = MemoryTransport.pair();
    const farPort = new TunnelPort({
      type: 'server',
      target: 'far',
      transport: far,
      wire: answer,
      limits: { closeTimeoutMs: 50 },
    });
    farPort.open(new PortRecorder());
    this.far.push(farPort);
    return new TunnelPort({ type: 'client', target: 'memory', transport: near, wire: answer });
  };

  /** Resolves when the next attempt to dial begins. */
  asked(): Promise<void> {
    return within(new Promise((resolve) => this.#asked.push(resolve)), 'next dial');
  }

  async close(): Promise<void> {
    await Promise.all(this.far.map((port) => port.close()));
  }
}

const REFUSED = new EtherwsError('CONNECTION_REFUSED', 'Nothing listens at example:80');
const FORBIDDEN = new EtherwsError('AUTH_FAILED', 'wrong password');

/** Waits of exactly 1 ms, so that tests are fast. */
const SHORT = { minMs: 1, maxMs: 1, random: (): number => 1 };
const LONG = { minMs: 3_600_000, maxMs: 3_600_000, random: (): number => 1 };

async function until(events: PortRecorder, state: string): Promise<void> {
  while (events.linkChanges.at(-1)?.state !== state) await once(events, 'change');
}

async function withPort(
  answers: Doorway['answers'],
  options: Partial<ClientPortOptions>,
  run: (port: ClientPort, doorway: Doorway, events: PortRecorder) => Promise<void>,
): Promise<void> {
  const doorway = new Doorway();
  doorway.answers.push(...answers);
  const port = new ClientPort({ target: 'memory', connect: doorway.connect, ...options });
  try {
    await run(port, doorway, new PortRecorder());
  } finally {
    await port.close();
    await doorway.close();
  }
}

describe('a client port', () => {
  test('dials again until it is up, and says what it does', async () => {
    await withPort([REFUSED, FORBIDDEN, 'raw'], { reconnection: SHORT }, async (port, doorway, events) => {
      port.open(events);
      await until(events, 'up');
      // The number of seconds depends on when the reason was made.
      const changes = events.linkChanges.map(({ state, reason }) => ({
        state,
        reason: reason?.replace(/in \d+ s/, 'in N s'),
      }));
      assert.deepEqual(changes, [
        { state: 'connecting', reason: 'dialling' },
        { state: 'backoff', reason: 'next try in N s: Nothing listens at example:80' },
        { state: 'connecting', reason: 'trying again: Nothing listens at example:80' },
        { state: 'backoff', reason: 'next try in N s, sooner will hardly help: wrong password' },
        { state: 'connecting', reason: 'trying again: wrong password' },
        { state: 'up', reason: undefined },
      ]);
      assert.equal(port.linkReason, undefined);
      assert.equal(doorway.signals.length, 3);
    });
  });

  test('carries frames on every connection, and drops them in between', async () => {
    await withPort(['raw', 'raw'], { reconnection: SHORT }, async (port, doorway, events) => {
      const frame = testFrame(1, 60);
      assert.equal(port.send(batchOf(frame), 0), 'linkDown');
      port.open(events);
      await until(events, 'up');
      for (const cycle of [0, 1]) {
        const far = doorway.far[cycle] as TunnelPort;
        assert.equal(port.send(batchOf(frame), 0), undefined);
        port.flush(true);
        far.send(batchOf(testFrame(cycle, 60)), 0);
        far.flush(true);
        await events.take(1);
        if (cycle === 1) break;
        void far.close('shutdown');
        await until(events, 'backoff');
        assert.equal(port.send(batchOf(frame), 0), 'linkDown');
        port.flush(true);
        assert.match(port.linkReason ?? '', /closed by the peer: .*1001/);
        await until(events, 'up');
      }
    });
  });

  test('has the facts and the offloads of the connection that stands', async () => {
    await withPort(['raw', 'batched'], { reconnection: SHORT, target: 'first' }, async (port, doorway, events) => {
      assert.equal(port.offloads, OFFLOAD_NONE);
      assert.equal(port.details.connection === undefined, true);
      port.open(events);
      await until(events, 'up');
      const { wire, roundTripMs, url } = port.details.connection ?? {};
      assert.deepEqual([wire, roundTripMs, url, port.tunnel], ['raw', undefined, 'memory', undefined]);
      void doorway.far[0]?.close();
      await until(events, 'backoff');
      await until(events, 'up');
      assert.equal(port.details.connection?.wire, 'batched');
      assert.equal(port.offloads, PACKINGS.batched.offloads);
    });
  });

  test('dials at once when the network comes back', async () => {
    let tell: () => void = () => assert.fail('no listener');
    let hasEnded = false;
    const watchNetwork = (listener: () => void) => {
      tell = listener;
      return async () => {
        hasEnded = true;
      };
    };
    const reconnection = { ...LONG, minMs: 1 };
    await withPort([REFUSED, 'raw'], { reconnection, watchNetwork }, async (port, _doorway, events) => {
      port.open(events);
      await until(events, 'backoff');
      tell();
      await until(events, 'up');
    });
    assert.ok(hasEnded);
  });

  test('without reconnection stays down behind the first loss', async () => {
    await withPort(['raw'], { reconnection: { isEnabled: false } }, async (port, doorway, events) => {
      port.open(events);
      await until(events, 'up');
      void doorway.far[0]?.close();
      await until(events, 'down');
      assert.match(port.linkReason ?? '', /closed by the peer/);
      assert.equal(doorway.signals.length, 1);
    });
  });

  test('that is closed ends a dialling', async () => {
    await withPort([], {}, async (port, doorway, events) => {
      port.open(events);
      await port.close();
      assert.ok(doorway.signals[0]?.aborted);
      assert.equal(events.linkChanges.length, 1);
    });
  });

  test('that is closed ends a wait, and dials no more', async () => {
    await withPort([REFUSED], { reconnection: LONG }, async (port, doorway, events) => {
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      port.open(events);
      await until(events, 'backoff');
      await port.close();
      await port.close();
      assert.equal(doorway.signals.length, 1);
      assert.equal(timers(), 0);
    });
  });

  test('whose first tunnel must stand fails with what went wrong', async () => {
    const doorway = new Doorway();
    doorway.answers.push(REFUSED);
    await assert.rejects(ClientPort.connected({ target: 'memory', connect: doorway.connect }), REFUSED);
  });

  test('whose tunnel ended before it was opened dials again', async () => {
    const doorway = new Doorway();
    doorway.answers.push('raw', 'raw');
    const port = await ClientPort.connected({ target: 'memory', connect: doorway.connect, reconnection: SHORT });
    await doorway.far[0]?.close();
    const events = new PortRecorder();
    port.open(events);
    await until(events, 'up');
    assert.equal(doorway.signals.length, 2);
    await port.close();
    await doorway.close();
  });
});

test('200 tunnels after each other leave neither descriptors nor timers behind', async () => {
  const server = new TestTunnelServer({ limits: { closeTimeoutMs: 50 } });
  await server.start();
  const port = new ClientPort({
    target: server.url,
    connect: (signal) => dialTunnel({ url: server.url, signal, limits: { closeTimeoutMs: 50 } }),
    reconnection: SHORT,
  });
  const events = new PortRecorder();
  const cycles = async (count: number): Promise<void> => {
    for (let cycle = 0; cycle < count; cycle++) {
      const accepted = await server.nextPort();
      accepted.open(new PortRecorder());
      await until(events, 'up');
      const down = until(events, 'connecting');
      await accepted.close('shutdown');
      await down;
    }
  };
  port.open(events);
  await cycles(5);
  const before = openDescriptors().length;
  await cycles(200);
  const after = openDescriptors().length;
  assert.ok(after <= before + 4, `${before} descriptors became ${after}`);
  const last = await server.nextPort();
  last.open(new PortRecorder());
  await until(events, 'up');
  await Promise.all([port.close(), last.close()]);
  await server.stop();
});
