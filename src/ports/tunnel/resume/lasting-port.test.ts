import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTransport } from '../../../../test/support/memory-transport.ts';
import { numberOf, PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { within } from '../../../../test/support/waits.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import { OFFLOAD_NONE } from '../../../wire/offload/virtio-header.ts';
import { PACKINGS } from '../../stream/packing.ts';
import { TunnelPort } from '../tunnel-port.ts';
import { LastingPort } from './lasting-port.ts';

/** A port that gets its connections from the test. */
class TestPort extends LastingPort {
  readonly type = 'client';
  readonly target = 'near';
  linkReason: string | undefined;
  readonly ends: string[] = [];

  /** The current `details`. */
  told(): unknown {
    return this.details;
  }

  /** Replaces the current connection, if any, which is closed in order. */
  goOnBy(tunnel: TunnelPort): void {
    if (this.current !== undefined) this.leave(this.current.close());
    this.carryOn(tunnel);
  }

  protected override lost(_tunnel: TunnelPort, reason: string): void {
    this.ends.push(`lost: ${reason}`);
    this.linkReason = reason;
    this.events?.linkChanged('down', reason);
  }

  protected override stop(): undefined {
    this.ends.push('stop');
  }

  protected override gone(): void {
    this.ends.push('gone');
  }
}

const LIMITS = { closeTimeoutMs: 50 };

/** @param target of the near end */
function connection(target = 'near'): { near: TunnelPort; far: TunnelPort } {
  const [transport, farTransport] = MemoryTransport.pair();
  const near = new TunnelPort({ type: 'client', target, transport, wire: 'batched', limits: LIMITS });
  const far = new TunnelPort({
    type: 'server',
    target: 'far',
    transport: farTransport,
    wire: 'batched',
    limits: LIMITS,
  });
  return { near, far };
}

function sendFrom(port: TunnelPort, number: number): void {
  port.send(batchOf(testFrame(number, 60)), 0);
  port.flush(true);
}

test('has the offloads and the details of the connection that stands, and none without one', async () => {
  const port = new TestPort();
  assert.equal(port.offloads, OFFLOAD_NONE);
  port.linkReason = 'none yet';
  assert.deepEqual(port.told(), { kind: 'tunnel', connection: undefined, linkReason: 'none yet' });
  port.linkReason = undefined;
  const own = {
    wire: 'batched',
    roundTripMs: undefined,
    url: undefined,
    localAddress: undefined,
    peer: undefined,
    tls: undefined,
    transport: 'node',
    queuedBytes: 0,
  };
  const told = (): unknown => {
    const { measure, oldestWaitedMs, ...connection } = port.details.connection ?? {};
    assert.equal(typeof measure, 'function');
    assert.equal(oldestWaitedMs?.(), 0);
    return { ...port.details, connection };
  };
  const [first, second] = [connection(), connection('another')];
  port.goOnBy(first.near);
  assert.equal(port.offloads, PACKINGS.batched.offloads);
  assert.deepEqual(told(), { kind: 'tunnel', connection: own, linkReason: undefined });
  port.goOnBy(second.near);
  const moved = { kind: 'tunnel', connection: { ...own, url: 'another' }, linkReason: undefined };
  assert.deepEqual(told(), moved, 'the URL, where it is not the target');
  await Promise.all([port.close(), first.far.close(), second.far.close()]);
});

test('tells that the link is up before anything that the next connection brings', async () => {
  const port = new TestPort();
  const { near, far } = connection();
  far.open(new PortRecorder());
  sendFrom(far, 1);
  const seen: string[] = [];
  const arrived = new Promise<void>((resolve) => {
    port.open({
      receive: (batch) => {
        seen.push(`frame ${numberOf(batch.frame(0))}`);
        resolve();
        return undefined;
      },
      linkChanged: (state) => {
        seen.push(`${state}, ${port.send(batchOf(testFrame(9, 60)), 0)}`);
      },
      discarded: () => undefined,
    });
  });
  port.goOnBy(near);
  await within(arrived, 'the frame');
  assert.deepEqual(seen, ['up, linkDown', 'frame 1'], 'the connection is opened behind that');
  await Promise.all([port.close(), far.close()]);
});

test('delivers nothing of a connection that was replaced, and loses nothing of the next one', async () => {
  const [first, second] = [connection(), connection()];
  const port = new TestPort();
  const events = new PortRecorder();
  port.goOnBy(first.near);
  port.open(events);
  for (const { far } of [first, second]) far.open(new PortRecorder());
  sendFrom(first.far, 1);
  await events.take(1);
  port.goOnBy(second.near);
  sendFrom(first.far, 2);
  sendFrom(second.far, 3);
  assert.deepEqual((await events.take(1)).map(numberOf), [3]);
  await Promise.all([port.close(), first.far.close(), second.far.close()]);
  assert.deepEqual(port.ends, ['stop', 'gone'], 'the end of the first one is no loss');
});

test('a connection that ends is a loss, and the port refuses frames', async () => {
  const { near, far } = connection();
  const port = new TestPort();
  const events = new PortRecorder();
  port.goOnBy(near);
  port.open(events);
  far.open(new PortRecorder());
  const changed = events.linkChange();
  await far.close();
  const { state, reason } = await changed;
  assert.equal(state, 'down');
  assert.match(reason ?? '', /closed by the peer/);
  assert.deepEqual(port.ends, [`lost: ${reason}`]);
  assert.equal(port.send(batchOf(testFrame(1, 60)), 0), 'linkDown');
  await port.close();
});

test('is closed once, and not before the connections that left are gone', async () => {
  const { near, far } = connection();
  const port = new TestPort();
  port.goOnBy(near);
  port.open(new PortRecorder());
  const next = connection();
  port.goOnBy(next.near);
  void next.far.close();
  await next.near.close();
  // The far end of the first connection does not answer, so its close takes until the time limit.
  const [one, other] = [port.close(), port.close('shutdown')];
  for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  assert.deepEqual(port.ends, ['stop']);
  await Promise.all([one, other]);
  assert.deepEqual(port.ends, ['stop', 'gone']);
  await far.close();
});
