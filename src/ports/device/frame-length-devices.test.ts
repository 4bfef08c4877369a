import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { before, type TestContext, test } from 'node:test';
import { CountingBridge, nativeTunnel, prepareNamespace, turns } from '../../../test/support/fast-lab.ts';
import { batchWithHeaders } from '../../../test/support/frames.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { PortRecorder } from '../../../test/support/port-recorder.ts';
import { until } from '../../../test/support/waits.ts';
import { Bridge } from '../../bridge/bridge.ts';
import type { Port } from '../../bridge/port.ts';
import { nativeAddon } from '../../native/addon.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { FLAG_NEEDS_CSUM, GSO_NONE } from '../../wire/offload/virtio-header.ts';
import { MemoryPort } from '../memory-port.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort } from './tap-port.ts';

const skip = enterOwnNamespace('ip');
const MTU = 1500;
const TO = '020000000002';
const FROM = '020000000001';

before(() => {
  if (skip === false) prepareNamespace();
});

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

/** Untagged, or with the named tags, a payload of a local experiment's type. */
function frameOf(tags: string, payloadBytes: number, from = FROM, to = TO): Buffer {
  const head = Buffer.from(`${to}${from}${tags.replaceAll(' ', '')}88b5`, 'hex');
  return Buffer.concat([head, Buffer.alloc(payloadBytes, payloadBytes % 251)]);
}

/** What a failure prints of a frame, and differs when any octet does. */
function digest(frame: Buffer): string {
  const hash = createHash('sha256').update(frame).digest('hex').slice(0, 16);
  return `${frame.length} octets, ${frame.toString('hex', 12, 22)}…, ${hash}`;
}

/** Frames between the two stations. */
class Capture {
  readonly port: NetdevPort;
  frames: string[] = [];

  private constructor(port: NetdevPort) {
    this.port = port;
    const events = new PortRecorder();
    events.onBatch = (batch) => {
      for (let index = 0; index < batch.count; index++) {
        const frame = batch.frame(index);
        if (frame.toString('hex', 0, 12) === TO + FROM) this.frames.push(digest(frame));
      }
    };
    port.open(events);
  }

  static async open(t: TestContext, name: string): Promise<Capture> {
    const port = await NetdevPort.open(name);
    t.after(() => port.close());
    return new Capture(port);
  }

  take(): string[] {
    return this.frames.splice(0);
  }
}

function sendAll(port: Port, ...frames: Buffer[]): (string | undefined)[] {
  const batch = batchOf(...frames);
  const refusals = frames.map((_, index) => port.send(batch, index));
  port.flush(false);
  return refusals;
}

async function openTap(t: TestContext, name: string): Promise<TapPort> {
  const port = await TapPort.open(name);
  t.after(() => port.close());
  return port;
}

const PASSING: readonly (readonly [string, number])[] = [
  ['', MTU],
  ['8100 0064', MTU],
  ['88a8 0064', MTU],
  ['88a8 0064 8100 0065', MTU],
  ['8100 0064 8100 0065', MTU],
  ['88a8 0064 88a8 0065', MTU],
];
const REFUSED: readonly (readonly [string, number])[] = [
  ['88a8 0064 8100 0065', MTU + 1],
  ['88a8 0064 8100 0065 8100 0066', MTU],
];

test('a full payload passes under one tag or two where a kernel bridge passes it, by either path', {
  skip,
}, async (t) => {
  // source ─ kernel bridge ─┬─ veth: what the oracle passes
  //                         └─ ours-in ─ our bridge ─ ours-out: what we pass
  ip('link', 'add', 'oracle', 'type', 'bridge');
  t.after(() => ip('link', 'delete', 'oracle'));
  ip('link', 'add', 'veth0', 'mtu', String(MTU), 'type', 'veth', 'peer', 'name', 'veth1', 'mtu', String(MTU));
  t.after(() => ip('link', 'delete', 'veth0'));
  const [source, oursIn, oursOut] = [
    await openTap(t, 'source'),
    await openTap(t, 'ours-in'),
    await openTap(t, 'ours-out'),
  ];
  for (const name of ['source', 'ours-in', 'veth0']) {
    ip('link', 'set', name, 'master', 'oracle');
    // It has to flood, so that both receive each frame.
    ip('link', 'set', name, 'type', 'bridge_slave', 'learning', 'off');
  }
  for (const name of ['oracle', 'veth0', 'veth1']) ip('link', 'set', name, 'up');
  source.open(new PortRecorder());
  const bridge = new CountingBridge();
  const [, egress] = [bridge.attach(oursIn), bridge.attach(oursOut)];
  const oracle = await Capture.open(t, 'veth1');
  const ours = await Capture.open(t, 'ours-out');
  await until(() => nativeAddon().readLink('veth0').isRunning);

  // Makes the destination known, in every VLAN: only known unicast follows flows.
  for (const tags of ['', '8100 0064']) sendAll(ours.port, frameOf(tags, 50, TO, FROM));
  await turns();
  for (const [tags, payload] of PASSING) {
    const frame = frameOf(tags, payload);
    const before = bridge.frames;
    for (let round = 0; round < 6; round++) {
      assert.deepEqual(sendAll(source, frame), [undefined], tags);
      await until(() => ours.frames.length > round && oracle.frames.length > round);
    }
    const expected = Array.from({ length: 6 }, () => digest(frame));
    assert.deepEqual(oracle.take(), expected, `the kernel bridge: ${tags}`);
    assert.deepEqual(ours.take(), expected, `ours: ${tags}`);
    assert.ok(bridge.frames - before <= 3, `${tags}: the fast path took nothing`);
  }
  assert.equal(egress.tx.discards.tooLong, 0);

  for (const [tags, payload] of REFUSED) {
    assert.deepEqual(sendAll(oursOut, frameOf(tags, payload)), ['tooLong'], tags);
  }
  // The oracle's slack is for one tag more, whatever it is; the third tag is beyond it, too.
  assert.deepEqual(sendAll(source, frameOf('88a8 0064 8100 0065 8100 0066', MTU)), ['tooLong']);
});

test('a packet socket sends a full payload under one C-TAG; more is too long before the kernel is asked', {
  skip,
}, async (t) => {
  ip('link', 'add', 'near', 'mtu', String(MTU), 'type', 'veth', 'peer', 'name', 'far', 'mtu', String(MTU));
  t.after(() => ip('link', 'delete', 'near'));
  for (const name of ['near', 'far']) ip('link', 'set', name, 'up');
  const near = await NetdevPort.open('near');
  t.after(() => near.close());
  const events = new PortRecorder();
  near.open(events);
  const far = await Capture.open(t, 'far');
  await until(() => !(!nativeAddon().readLink('near').isRunning || !nativeAddon().readLink('far').isRunning));
  const taken = [frameOf('', MTU), frameOf('8100 0064', MTU), frameOf('8100 0064 8100 0065', MTU - 4)];
  assert.deepEqual(sendAll(near, ...taken), [undefined, undefined, undefined]);
  await until(() => far.frames.length >= 3);
  assert.deepEqual(far.take(), taken.map(digest));
  const refused = [frameOf('88a8 0064', MTU), frameOf('88a8 0064 8100 0065', MTU), frameOf('8100 0064 8100 0065', MTU)];
  assert.deepEqual(sendAll(near, ...refused), ['tooLong', 'tooLong', 'tooLong']);
  assert.deepEqual(Object.fromEntries(events.discards), {});
});

test('what a raw tunnel brings is cut to what its payload states, where it would not fit, and nowhere else', {
  skip,
}, async (t) => {
  const { client, server } = await nativeTunnel(undefined, 'raw');
  t.after(() => Promise.all([client.close(), server.close()]));
  const bridge = new CountingBridge();
  const tap = await openTap(t, 'narrow');
  const wide = await openTap(t, 'wide');
  ip('link', 'set', 'wide', 'mtu', '2000');
  await until(() => wide.maxFrameBytes === 2014);
  bridge.attach(client);
  const [narrowSide] = [bridge.attach(tap), bridge.attach(wide)];
  const [atNarrow, atWide] = [await Capture.open(t, 'narrow'), await Capture.open(t, 'wide')];
  server.open(new PortRecorder());

  const head = Buffer.from(`${TO}${FROM}0800`, 'hex');
  const datagram = Buffer.concat([Buffer.from('450000540000000040110000c0000201c0000202', 'hex'), Buffer.alloc(64, 7)]);
  const exact = Buffer.concat([head, datagram]);
  const long = Buffer.concat([exact, Buffer.alloc(1518 - exact.length, 0xee)]);
  const short = Buffer.concat([exact, Buffer.alloc(1514 - exact.length, 0xee)]);
  const unstated = Buffer.concat([Buffer.from(`${TO}${FROM}88b5`, 'hex'), Buffer.alloc(1504, 0xee)]);
  sendAll(server, long, short, unstated, long);
  await until(() => atWide.frames.length >= 4 && atNarrow.frames.length >= 3);
  assert.deepEqual(atWide.take(), [long, short, unstated, long].map(digest));
  assert.deepEqual(atNarrow.take(), [exact, short, exact].map(digest));
  assert.deepEqual([narrowSide.tx.discards.tooLong, narrowSide.tx.frames], [1, 3]);
});

test('padding is also cut from each of several frames whose checksum the bridge completes first', {
  skip,
}, async (t) => {
  const bridge = new Bridge();
  const tap = await openTap(t, 'padded');
  const [ingress, egress] = [bridge.attach(new MemoryPort()), bridge.attach(tap)];
  tap.open(new PortRecorder());
  const capture = await Capture.open(t, 'padded');
  const packet = Buffer.from('450000540000000040110000c0000201c0000202', 'hex');
  const exact = Buffer.concat([Buffer.from(`${TO}${FROM}0800`, 'hex'), packet, Buffer.alloc(64, 7)]);
  // No checksum of the outermost packet starts there: no device is asked to complete it.
  const header = { flags: FLAG_NEEDS_CSUM, gsoType: GSO_NONE, headerBytes: 0, gsoSize: 0 };
  const padded = (octet: number) => ({
    frame: Buffer.concat([exact, Buffer.alloc(1518 - exact.length, octet)]),
    header: { ...header, checksumStart: 1510, checksumOffset: 2 },
  });
  bridge.receive(ingress, batchWithHeaders([padded(1), padded(2), { frame: exact }, padded(3)]), 0);
  await until(() => capture.frames.length >= 4);
  assert.deepEqual(capture.take(), [exact, exact, exact, exact].map(digest));
  assert.deepEqual([egress.tx.frames, egress.tx.discards.tooLong], [4, 0]);
});
