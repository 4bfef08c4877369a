import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MemoryTransport } from '../../../test/support/memory-transport.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { numberOf, PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import { until } from '../../../test/support/waits.ts';
import { Bridge } from '../../bridge/bridge.ts';
import type { Congestion, PortEvents } from '../../bridge/port.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { TunnelPort } from '../tunnel/tunnel-port.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort } from './tap-port.ts';

const skip = enterOwnNamespace();

/** As in device-port.ts. */
const MAX_WAIT_MS = 100;

/** A TAP, and the kernel's side of it, where frames are put in. */
async function openTap(t: TestContext): Promise<{ port: TapPort; inject: (...frames: Buffer[]) => void }> {
  const port = await TapPort.open('tap%d');
  t.after(() => port.close());
  const kernel = await NetdevPort.open(port.target);
  t.after(() => kernel.close());
  kernel.open(new PortRecorder());
  return {
    port,
    inject: (...frames) => {
      for (let from = 0; from < frames.length; from += 100) {
        const batch = batchOf(...frames.slice(from, from + 100));
        for (let index = 0; index < batch.count; index++) assert.equal(kernel.send(batch, index), undefined);
        kernel.flush(false);
      }
    },
  };
}

/** Plays a bridge behind which there is congestion, or not. */
class CongestedBridge implements Congestion, PortEvents {
  readonly recorder: PortRecorder = new PortRecorder();
  readonly waiting: (() => void)[] = [];
  isCongested = true;

  onceRelieved(relieved: () => void): void {
    this.waiting.push(relieved);
  }

  receive(batch: Parameters<PortEvents['receive']>[0]): Congestion | undefined {
    const seen = this.recorder.frames.length;
    this.recorder.receive(batch);
    // What the kernel says by itself on a new device is no reason to wait.
    return this.isCongested && this.recorder.frames.length > seen ? this : undefined;
  }

  linkChanged(...change: Parameters<PortEvents['linkChanged']>): void {
    this.recorder.linkChanged(...change);
  }

  discarded(...discard: Parameters<PortEvents['discarded']>): void {
    this.recorder.discarded(...discard);
  }

  relieve(): void {
    for (const relieved of this.waiting.splice(0)) relieved();
  }
}

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

test('a device waits for the port that its frames go to, and goes on when that is relieved', { skip }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { port, inject } = await openTap(t);
  const events = new CongestedBridge();
  port.open(events);
  for (let number = 0; number < 5; number++) {
    inject(testFrame(number, 100));
    assert.equal(numberOf((await events.recorder.take(1))[0] as Buffer), number);
    inject(testFrame(100 + number, 100));
    t.mock.timers.tick(MAX_WAIT_MS - 1);
    await turns();
    assert.equal(events.recorder.frames.length, 2 * number + 1, 'read while it should wait');
    assert.equal(events.waiting.length, 1);
    events.isCongested = false;
    events.relieve();
    assert.equal(numberOf((await events.recorder.take(1))[0] as Buffer), 100 + number);
    events.isCongested = true;
  }
});

test('it gives up waiting, asks with the same function again, and heeds no call that comes late', {
  skip,
}, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { port, inject } = await openTap(t);
  const events = new CongestedBridge();
  port.open(events);
  for (let number = 0; number < 3; number++) {
    inject(testFrame(number, 100));
    await events.recorder.take(1);
    inject(testFrame(100 + number, 100));
    await turns();
    assert.equal(events.recorder.frames.length, 2 * number + 1);
    t.mock.timers.tick(MAX_WAIT_MS);
    await events.recorder.take(1);
    t.mock.timers.tick(MAX_WAIT_MS);
  }
  assert.equal(new Set(events.waiting).size, 1);
  events.relieve();
  events.isCongested = false;
  inject(testFrame(9, 100));
  assert.equal(numberOf((await events.recorder.take(1))[0] as Buffer), 9);
});

test('a port that is closed while it waits, or from inside a delivery, leaves no timer', { skip }, async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  for (const isInside of [false, true]) {
    const { port, inject } = await openTap(t);
    const before = timers();
    const events = new CongestedBridge();
    if (isInside) events.recorder.onBatch = () => void port.close();
    port.open(events);
    inject(testFrame(1, 100));
    await events.recorder.take(1);
    await port.close();
    assert.equal(timers(), before);
    events.relieve();
    await turns();
    assert.equal(events.recorder.frames.length, 1);
  }
});

test('through a bridge: a burst beyond the tunnel’s queue waits in the device, and all of it arrives', {
  skip,
}, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { port: tap, inject } = await openTap(t);
  const [near, far] = MemoryTransport.pair();
  const tunnel = new TunnelPort({ type: 'server', target: 'memory', transport: near });
  const farPort = new TunnelPort({ type: 'client', target: 'far', transport: far });
  const farEvents = new PortRecorder();
  farPort.open(farEvents);

  const bridge = new Bridge();
  let nowMs = 0;
  const [tapSide, tunnelSide] = [tap, tunnel].map((port) => {
    const bridgePort = bridge.attach(port);
    port.open({
      receive: (batch) => bridge.receive(bridgePort, batch, nowMs),
      linkChanged: (state, reason) => bridge.setLink(bridgePort, state, reason),
      discarded: (direction, reason, frames) => bridgePort[direction].discard(reason, frames),
    });
    return bridgePort;
  });
  assert.ok(tapSide !== undefined && tunnelSide !== undefined);
  const first = testFrame(0, 100);
  inject(first);
  await farEvents.take(1);
  nowMs = 1000;

  // 2.2 MB for a queue of 1 MiB; the device's own takes 10 000 frames.
  const frames = Array.from({ length: 1500 }, (_, index) => testFrame(index + 1, 1500));
  far.stall(true);
  inject(...frames);
  await turns();
  assert.ok(tunnel.congestion !== undefined);
  assert.ok(tapSide.rx.frames < 1000, 'read although nothing takes it');
  far.stall(false);
  await farEvents.take(frames.length);
  assert.deepEqual(
    farEvents.frames.map(numberOf),
    Array.from({ length: 1501 }, (_, number) => number),
  );
  assert.equal(tunnelSide.tx.discards.queueFull, 0);

  // A tunnel that closes relieves devices that wait for it.
  far.stall(true);
  inject(...frames);
  await turns();
  const readBefore = tapSide.rx.frames;
  near.destroy();
  await until(() => tapSide.rx.frames >= readBefore + 500);
  await tunnel.close();
  await farPort.close();
});
