import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openDescriptors } from '../../../test/support/descriptors.ts';
import { CountingBridge, openTapHost, prepareNamespace, stationFrame, turns } from '../../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { numberOf, PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import type { Congestion, Port } from '../../bridge/port.ts';
import { EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { DeviceRegister } from './device-register.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort } from './tap-port.ts';

const skip = enterOwnNamespace('ip');
const TIMEOUT_MS = 30_000;

before(() => {
  if (skip === false) prepareNamespace();
});

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

async function until(isRight: () => boolean, what: string): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  while (!isRight()) {
    assert.ok(Date.now() < end, what);
    await turn();
  }
}

function sendAll(port: Port, ...frames: Buffer[]): (string | undefined)[] {
  const batch = batchOf(...frames);
  const refusals = frames.map((_, index) => port.send(batch, index));
  port.flush(false);
  return refusals;
}

async function open<P extends Port>(t: TestContext, opening: Promise<P>): Promise<{ port: P; events: PortRecorder }> {
  const port = await opening;
  t.after(() => port.close());
  const events = new PortRecorder();
  port.open(events);
  return { port, events };
}

function stateOf({ linkChanges }: PortRecorder): string {
  const last = linkChanges.at(-1);
  return last === undefined ? 'up' : `${last.state}${last.reason === undefined ? '' : ` (${last.reason})`}`;
}

function layCable(): void {
  ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
  for (const name of ['near', 'far']) ip('link', 'set', name, 'up');
}

/** Frames pass between the port on `near` and the device `far`. */
async function carries(t: TestContext, port: Port, events: PortRecorder, number: number): Promise<void> {
  const far = await open(t, NetdevPort.open('far'));
  await until(() => nativeAddon().readLink('near').isRunning && nativeAddon().readLink('far').isRunning, 'a carrier');
  // What the kernel said may not have been read yet: until then frames go to the device that is gone.
  await until(
    () => {
      sendAll(port, testFrame(number, 100));
      return far.events.frames.some((frame) => numberOf(frame) === number);
    },
    `a frame from the port, which is ${stateOf(events)}`,
  );
  await until(
    () => {
      sendAll(far.port, testFrame(number + 1, 100));
      return events.frames.some((frame) => numberOf(frame) === number + 1);
    },
    `a frame to the port, which is ${stateOf(events)}`,
  );
  await far.port.close();
}

test('a network device that comes back is the same port, whatever its number', { skip }, async (t) => {
  const before = openDescriptors();
  layCable();
  const { port, events } = await open(t, NetdevPort.open('near'));
  for (let round = 0; round < 3; round++) {
    await carries(t, port, events, 10 * round);
    const { index } = nativeAddon().readLink('near');
    ip('link', 'delete', 'near');
    await until(() => stateOf(events) === 'down (waiting for near)', 'it waits');
    assert.equal(port.target, 'near');
    assert.deepEqual(sendAll(port, testFrame(0, 60)), ['linkDown']);
    assert.throws(() => port.networkInterface.read(), { code: 'DEVICE_NOT_FOUND' });
    layCable();
    await until(() => stateOf(events) === 'up', 'it is back');
    assert.notEqual(nativeAddon().readLink('near').index, index);
    assert.equal(port.networkInterface.read().mtu, 1500);
  }
  await carries(t, port, events, 100);
  ip('link', 'delete', 'near');
  await until(() => stateOf(events) === 'down (waiting for near)', 'it waits again');
  await port.close();
  assert.deepEqual(openDescriptors(), before);
});

test('of many quick changes the last one counts', { skip }, async (t) => {
  layCable();
  const { port, events } = await open(t, NetdevPort.open('near'));
  // Nothing is read of what the kernel says meanwhile.
  for (let round = 0; round < 20; round++) {
    ip('link', 'delete', 'near');
    layCable();
  }
  await carries(t, port, events, 1);
  for (let round = 0; round < 5; round++) {
    ip('link', 'delete', 'near');
    layCable();
    await turns(round);
  }
  ip('link', 'delete', 'near');
  await until(() => stateOf(events) === 'down (waiting for near)', 'the last one was the end');
});

test('a persistent TAP device that is made anew is attached again, with frames on their way', { skip }, async (t) => {
  ip('tuntap', 'add', 'again', 'mode', 'tap');
  const { port, events } = await open(t, TapPort.open('again', { mac: '02:00:00:00:00:42' }));
  const waiting: (() => void)[] = [];
  const congestion: Congestion = { onceRelieved: (relieved) => void waiting.push(relieved) };
  const record = events.receive.bind(events);
  events.receive = (batch) => {
    record(batch);
    return congestion as unknown as undefined;
  };
  for (let round = 0; round < 3; round++) {
    const kernel = await open(t, NetdevPort.open('again'));
    // The port leaves frames in the device while the egress is congested, and loses it in that state.
    sendAll(kernel.port, testFrame(2 * round, 100));
    await events.take(1);
    sendAll(kernel.port, testFrame(1000, 100), testFrame(1001, 100));
    await kernel.port.close();
    ip('link', 'delete', 'again');
    await until(() => stateOf(events) === 'down (waiting for again)', stateOf(events));
    for (const relieved of waiting.splice(0)) relieved();
    ip('tuntap', 'add', 'again', 'mode', 'tap');
    await until(() => stateOf(events) === 'up', stateOf(events));
    assert.equal(events.frames.filter((frame) => numberOf(frame) >= 1000).length, 0);
    const after = await open(t, NetdevPort.open('again'));
    await until(() => stateOf(after.events) === 'up', stateOf(after.events));
    assert.deepEqual(sendAll(port, testFrame(77, 100)), [undefined]);
    assert.deepEqual((await after.events.take(1)).map(numberOf), [77]);
    sendAll(after.port, testFrame(2 * round + 1, 100));
    assert.equal(numberOf((await events.take(1))[0] as Buffer), 2 * round + 1);
    const [link] = JSON.parse(execFileSync('ip', ['-json', 'link', 'show', 'again'], { encoding: 'utf8' }));
    assert.equal(link.address, '02:00:00:00:00:42');
    await after.port.close();
  }
});

test('a device of another kind, or one that another program has, is not taken for it', { skip }, async (t) => {
  ip('tuntap', 'add', 'kind', 'mode', 'tap');
  const tap = await open(t, TapPort.open('kind'));
  ip('link', 'delete', 'kind');
  await until(() => stateOf(tap.events) === 'down (waiting for kind)', stateOf(tap.events));
  ip('tuntap', 'add', 'kind', 'mode', 'tun');
  await until(() => /^down \(waiting for kind: .*TUN device/.test(stateOf(tap.events)), stateOf(tap.events));
  ip('link', 'delete', 'kind');
  ip('link', 'add', 'kind', 'type', 'bridge');
  await until(() => /^down \(waiting for kind: .*bridge device/.test(stateOf(tap.events)), stateOf(tap.events));
  ip('link', 'delete', 'kind');
  // One that goes with the program that has it: ours must not take its place.
  const other = nativeAddon().openTap('kind', -1, 2 ** 31 - 1);
  await until(() => /^down \(waiting for kind: .*in use/.test(stateOf(tap.events)), stateOf(tap.events));
  nativeAddon().close(other.descriptor, () => undefined);
  await until(() => stateOf(tap.events) === 'down (waiting for kind)', stateOf(tap.events));
  ip('tuntap', 'add', 'kind', 'mode', 'tap');
  await until(() => stateOf(tap.events) === 'up', stateOf(tap.events));

  layCable();
  t.after(() => ip('link', 'delete', 'near'));
  const netdev = await open(t, NetdevPort.open('near'));
  ip('link', 'delete', 'near');
  await until(() => stateOf(netdev.events) === 'down (waiting for near)', stateOf(netdev.events));
  ip('tuntap', 'add', 'near', 'mode', 'tun');
  await until(() => /no Ethernet device/.test(stateOf(netdev.events)), stateOf(netdev.events));
  ip('link', 'delete', 'near');
  layCable();
  await until(() => stateOf(netdev.events) === 'up', stateOf(netdev.events));
});

test('flows by the fast path end with the device, and go on with the next one', { skip }, async (t) => {
  ip('tuntap', 'add', 'flow', 'mode', 'tap');
  const bridge = new CountingBridge();
  const source = await openTapHost(t, 'flow-in');
  const sink = await TapPort.open('flow');
  t.after(() => sink.close());
  bridge.attach(source.port);
  const egress = bridge.attach(sink);
  for (let round = 0; round < 3; round++) {
    const kernel = await open(t, NetdevPort.open('flow'));
    await until(() => stateOf(kernel.events) === 'up' && egress.link === 'up', 'up');
    sendAll(kernel.port, stationFrame(2, 1, 0));
    await turns();
    const before = bridge.frames;
    for (let number = 1; number <= 20; number++) {
      source.send(stationFrame(1, 2, number));
      await kernel.events.taken(number);
    }
    assert.ok(bridge.frames - before < 10, 'the fast path took nothing');
    const sent = egress.tx.frames;
    await kernel.port.close();
    ip('link', 'delete', 'flow');
    await until(() => egress.link === 'down', 'it waits');
    const seen = bridge.frames;
    source.send(stationFrame(1, 2, 99));
    // The station is forgotten with the link, so its frames are flooded by the other ports.
    await until(() => bridge.frames > seen, 'it comes to the bridge');
    assert.equal(egress.tx.frames, sent, 'counters go on');
    ip('tuntap', 'add', 'flow', 'mode', 'tap');
  }
});

test('a device is one port of a switch, also while that waits for it', { skip }, async (t) => {
  const register = new DeviceRegister();
  const isBusy = (error: unknown): boolean => error instanceof EtherwsError && error.code === 'DEVICE_BUSY';
  layCable();
  const first = await open(t, NetdevPort.open('near', { register }));
  await assert.rejects(NetdevPort.open('near', { register }), isBusy);
  // A device is known by its number: also by its new name, while the old one is free for another.
  ip('link', 'set', 'near', 'name', 'renamed');
  await until(() => first.port.target === 'renamed', 'renamed');
  await assert.rejects(NetdevPort.open('renamed', { register }), isBusy);
  ip('link', 'set', 'renamed', 'name', 'near');
  await until(() => first.port.target === 'near', 'renamed back');

  const tap = await open(t, TapPort.open('single', { register }));
  await assert.rejects(NetdevPort.open('single', { register }), isBusy);
  await assert.rejects(TapPort.open('near', { register }), isBusy);
  await tap.port.close();

  ip('link', 'delete', 'near');
  await until(() => stateOf(first.events) === 'down (waiting for near)', stateOf(first.events));
  ip('link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'far');
  t.after(() => ip('link', 'delete', 'far'));
  const second = await open(t, NetdevPort.open('other', { register }));
  ip('link', 'set', 'other', 'down');
  // What is another port's is not taken when it gets the name that is waited for.
  ip('link', 'set', 'other', 'name', 'near');
  await until(
    () => /waiting for near: .*port of this switch already/.test(stateOf(first.events)),
    stateOf(first.events),
  );
  await first.port.close();
  await second.port.close();
  await (await NetdevPort.open('near', { register })).close();
});
