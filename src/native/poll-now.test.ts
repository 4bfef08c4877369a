import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { closeDescriptor } from '../../test/support/descriptors.ts';
import { enterOwnNamespace } from '../../test/support/own-namespace.ts';
import { once } from '../../test/support/waits.ts';
import { deviceSlab } from '../ports/device/device-slab.ts';
import { nativeAddon } from './addon.ts';
import { type Descriptor, READABLE } from './descriptors.ts';
import { TALLY_REASONS } from './devices.ts';

const skip = enterOwnNamespace();

/** A TAP device that is up, and a packet socket by which the host sends frames out of it. */
interface Wire {
  readonly tap: Descriptor;
  /** A frame that can be read from the TAP device, as soon as this returns. */
  send(): void;
}

function openWire(t: TestContext, name: string): Wire {
  const addon = nativeAddon();
  const { descriptor: tap } = addon.openTap(name, 0, 1 << 20);
  deviceSlab();
  addon.readsFrames(tap, 2000);
  const { index } = addon.readLink(name);
  addon.changeLink(index, 1, -1, -1);
  const host = addon.openPacketSocket(index, false, 1 << 20);
  t.after(() => Promise.all([tap, host].map(closeDescriptor)));
  const frame = new Uint8Array(60).fill(0xff, 0, 6);
  frame.set([0x88, 0xb5], 12);
  return {
    tap,
    send: () => {
      const sent = addon.writeFrames(
        host,
        frame,
        Uint32Array.of(0),
        Uint32Array.of(60),
        Uint32Array.of(0),
        1,
        false,
        0,
        new Uint32Array(TALLY_REASONS.length),
      );
      assert.equal(sent, 1);
    },
  };
}

/** Longer than frames are made to wait. */
function work(): void {
  for (const until = performance.now() + 1; performance.now() < until; );
}

/** What the kernel itself sends on a new device shall not be taken for ours. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await turn();
}

test('frames that come in the middle of a turn are served in it', { skip }, async (t) => {
  const addon = nativeAddon();
  const wire = openWire(t, 'middle');
  let frames = 0;
  addon.watch(wire.tap, (status, count) => {
    assert.equal(status, READABLE);
    frames += count;
  });
  await quiet();
  frames = 0;
  wire.send();
  work();
  assert.equal(frames, 0, 'the loop has not turned');
  addon.pollNow();
  assert.ok(frames > 0);
  // A machine that was elsewhere in between is asked once more.
  for (let attempts = 1, isPrompt = false; !isPrompt; attempts++) {
    assert.ok(attempts < 1000, 'never prompt');
    work();
    const since = performance.now();
    addon.pollNow();
    frames = 0;
    wire.send();
    addon.pollNow();
    isPrompt = performance.now() - since < 0.2;
    if (isPrompt) assert.equal(frames, 0, 'it is not asked again at once');
  }
  work();
  addon.pollNow();
  assert.ok(frames > 0);
});

test('a descriptor that awaits nothing is not polled, and one that awaits again is', { skip }, async (t) => {
  const addon = nativeAddon();
  const wire = openWire(t, 'paused');
  let calls = 0;
  addon.watch(wire.tap, () => {
    calls++;
  });
  await quiet();
  calls = 0;
  addon.pause(wire.tap);
  wire.send();
  work();
  addon.pollNow();
  assert.equal(calls, 0);
  addon.resume(wire.tap);
  work();
  addon.pollNow();
  assert.equal(calls, 1);
});

test('the first callback may close or pause the others', { skip }, async (t) => {
  const addon = nativeAddon();
  for (const end of ['close', 'pause'] as const) {
    const wires = [openWire(t, `${end}0`), openWire(t, `${end}1`), openWire(t, `${end}2`)];
    const served: Wire[] = [];
    const closing: Promise<void>[] = [];
    let isReady = false;
    for (const wire of wires) {
      addon.watch(wire.tap, () => {
        if (!isReady) return;
        served.push(wire);
        for (const other of wires) {
          if (end === 'close') closing.push(closeDescriptor(other.tap));
          else addon.pause(other.tap);
        }
      });
    }
    await quiet();
    isReady = true;
    for (const wire of wires) wire.send();
    work();
    addon.pollNow();
    work();
    addon.pollNow();
    assert.equal(served.length, 1, end);
    await Promise.all(closing);
    await turn();
    assert.equal(served.length, 1, end);
  }
});

test('no descriptor is polled from inside of onReady', { skip }, async (t) => {
  const addon = nativeAddon();
  const wires = [openWire(t, 'outer'), openWire(t, 'inner')];
  let depth = 0;
  let deepest = 0;
  let calls = 0;
  for (const wire of wires) {
    addon.watch(wire.tap, () => {
      depth++;
      calls++;
      deepest = Math.max(deepest, depth);
      work();
      addon.pollNow();
      depth--;
    });
  }
  await quiet();
  for (const wire of wires) wire.send();
  work();
  addon.pollNow();
  for (const wire of wires) wire.send();
  await turn();
  await turn();
  assert.ok(calls >= 4, `${calls} calls`);
  assert.equal(deepest, 1);
});

test('what onReady throws in the middle of a turn is uncaught, and the others are served', { skip }, async (t) => {
  const addon = nativeAddon();
  const wires = [openWire(t, 'thrower0'), openWire(t, 'thrower1')];
  const uncaught: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  const served = new Set<Wire>();
  for (const wire of wires) {
    addon.watch(wire.tap, () => {
      served.add(wire);
      throw new Error('from the callback');
    });
  }
  await quiet();
  served.clear();
  uncaught.length = 0;
  for (const wire of wires) wire.send();
  work();
  addon.pollNow();
  assert.equal(served.size, 2);
  assert.equal(uncaught.length, 2);
});

test('a thread that ends from inside of it ends well', { skip }, async () => {
  const addon = `${process.cwd()}/build/Release/etherws.node`;
  const worker = new Worker(
    `
    const addon = require(require('node:worker_threads').workerData);
    const tap = addon.openTap('last%d', 0, 1 << 20);
    const { index } = addon.readLink(tap.name);
    addon.changeLink(index, 1, -1, -1);
    const host = addon.openPacketSocket(index, false, 1 << 20);
    addon.watch(tap.descriptor, () => process.exit(7));
    const word = (value) => Uint32Array.of(value);
    addon.writeFrames(host, new Uint8Array(60), word(0), word(60), word(0), 1, false, 0, new Uint32Array(5));
    addon.pollNow();
    process.exit(8);
  `,
    { eval: true, workerData: addon },
  );
  const [status] = await once(worker, 'exit');
  assert.equal(status, 7);
});
