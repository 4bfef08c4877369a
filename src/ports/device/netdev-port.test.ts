import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { openDescriptors } from '../../../test/support/descriptors.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { numberOf, PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import { until, within } from '../../../test/support/waits.ts';
import type { Port } from '../../bridge/port.ts';
import { type ErrorCode, EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import { batchOf, FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { FLAG_NEEDS_CSUM, GSO_TCPV4, OFFLOAD_HEADER_BYTES } from '../../wire/offload/virtio-header.ts';
import { NetdevPort, type NetdevPortOptions } from './netdev-port.ts';

const skip = enterOwnNamespace('ip');

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

/** A cable of two veth devices, `near` and `far`. */
async function layCable(t: TestContext, isUp = true): Promise<void> {
  ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
  t.after(() => ip('link', 'delete', 'near'));
  if (!isUp) return;
  for (const name of ['near', 'far']) ip('link', 'set', name, 'up');
  await until(() => !(!nativeAddon().readLink('near').isRunning || !nativeAddon().readLink('far').isRunning));
}

async function openPort(
  t: TestContext,
  name: string,
  options?: NetdevPortOptions,
): Promise<{ port: NetdevPort; events: PortRecorder }> {
  const port = await NetdevPort.open(name, options);
  t.after(() => port.close());
  const events = new PortRecorder();
  port.open(events);
  return { port, events };
}

function sendAll(port: Port, ...frames: Buffer[]): void {
  const batch = batchOf(...frames);
  for (let index = 0; index < batch.count; index++) assert.equal(port.send(batch, index), undefined);
  port.flush(false);
}

/** A frame whose tag is followed by what testFrame would have at its place. */
function taggedFrame(number: number, length: number, tpid: number, tci: number): Buffer {
  const frame = testFrame(number, length);
  const tag = Buffer.alloc(4);
  tag.writeUInt16BE(tpid, 0);
  tag.writeUInt16BE(tci, 2);
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]);
}

async function nextFrame(events: PortRecorder, isWanted: (frame: Buffer) => boolean): Promise<Buffer> {
  const arrived = new Promise<Buffer>((resolve) => {
    events.onBatch = (batch) => {
      for (let index = 0; index < batch.count; index++) {
        if (isWanted(batch.frame(index))) resolve(Buffer.from(batch.frame(index)));
      }
    };
  });
  return within(arrived, `frame such as ${isWanted}`);
}

async function refusedWith(code: ErrorCode, message: RegExp, action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error: unknown) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('a port never hears what it has sent itself', { skip }, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const far = await openPort(t, 'far');
  sendAll(near.port, ...Array.from({ length: 50 }, (_, number) => testFrame(number, 100)));
  await far.events.take(50);
  sendAll(far.port, testFrame(50, 100));
  assert.deepEqual((await near.events.take(1)).map(numberOf), [50]);
});

test('frames for other stations are received: the device is promiscuous while the port is open', {
  skip,
}, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const promiscuity = (): string | undefined => /promiscuity (\d+)/.exec(ip('-d', 'link', 'show', 'near'))?.[1];
  assert.equal(promiscuity(), '1');
  await near.port.close();
  assert.equal(promiscuity(), '0');
});

test('tags that the kernel takes out are put back', { skip }, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const far = await openPort(t, 'far');
  for (const tpid of [0x8100, 0x88a8]) {
    for (const tci of [0x0001, 0xe064, 0x0000]) {
      const frame = taggedFrame(tci, 200, tpid, tci);
      const arrived = nextFrame(near.events, (candidate) => candidate.readUInt16BE(12) === tpid);
      sendAll(far.port, frame);
      assert.deepEqual(await arrived, frame);
    }
  }
});

test('a tagged super-frame passes whole, its header moved to where the tag has moved it', { skip }, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const far = await openPort(t, 'far');
  const payload = Buffer.alloc(4000, 7);
  const frame = Buffer.concat([
    Buffer.from('02 00 00 00 00 02  02 00 00 00 00 01  81 00 00 64  08 00'.replaceAll(' ', ''), 'hex'),
    // IPv4: 4040 octets of TCP from 192.0.2.1 to 192.0.2.2
    Buffer.from('45 00 0f c8 00 00 40 00 40 06 a7 60 c0 00 02 01 c0 00 02 02'.replaceAll(' ', ''), 'hex'),
    // TCP: PSH and ACK, its checksum begun with the pseudo-header
    Buffer.from('03 e8 07 d0 00 00 00 00 00 00 00 00 50 18 03 e8 93 bf 00 00'.replaceAll(' ', ''), 'hex'),
    payload,
  ]);
  const batch = new FrameBatch(Buffer.concat([Buffer.alloc(OFFLOAD_HEADER_BYTES), frame]));
  batch.hasOffloadHeaders = true;
  batch.bytes.writeUInt8(FLAG_NEEDS_CSUM, 0);
  batch.bytes.writeUInt8(GSO_TCPV4, 1);
  batch.bytes.writeUInt16LE(58, 2);
  batch.bytes.writeUInt16LE(1448, 4);
  batch.bytes.writeUInt16LE(38, 6);
  batch.bytes.writeUInt16LE(16, 8);
  batch.push(OFFLOAD_HEADER_BYTES, frame.length);

  const arrived = new Promise<{ header: Buffer; frame: Buffer }>((resolve) => {
    near.events.onBatch = (received) => {
      for (let index = 0; index < received.count; index++) {
        if (received.frame(index).readUInt16BE(12) !== 0x8100) continue;
        resolve({ header: Buffer.from(received.offloadHeader(index)), frame: Buffer.from(received.frame(index)) });
      }
    };
  });
  assert.equal(far.port.send(batch, 0), undefined);
  far.port.flush(false);
  const { header, frame: got } = await within(arrived, 'tagged frame');
  assert.deepEqual(Object.fromEntries(far.events.discards), {});
  assert.deepEqual(got, frame);
  assert.equal(header.readUInt8(0) & FLAG_NEEDS_CSUM, FLAG_NEEDS_CSUM);
  assert.equal(header.readUInt8(1), GSO_TCPV4);
  assert.equal(header.readUInt16LE(4), 1448);
  assert.equal(header.readUInt16LE(6), 38);
  assert.equal(header.readUInt16LE(8), 16);
});

test('a device that was down is set up, and down again at the end', { skip }, async (t) => {
  await layCable(t, false);
  ip('link', 'set', 'far', 'up');
  const { port } = await openPort(t, 'near');
  assert.equal(nativeAddon().readLink('near').isUp, true);
  await port.close();
  assert.equal(nativeAddon().readLink('near').isUp, false);
  assert.equal(nativeAddon().readLink('far').isUp, true);

  const other = await openPort(t, 'far');
  await other.port.close();
  assert.equal(nativeAddon().readLink('far').isUp, true, 'it was up before');
});

test('a device without carrier is down, with that reason, until the cable is in', { skip }, async (t) => {
  await layCable(t, false);
  const near = await openPort(t, 'near');
  assert.deepEqual(near.events.linkChanges, [{ state: 'down', reason: 'near has no carrier' }]);
  assert.equal(near.port.send(batchOf(testFrame(0, 60)), 0), 'linkDown');
  const far = await openPort(t, 'far');
  await until(() => near.events.linkChanges.at(-1)?.state === 'up');
  sendAll(near.port, testFrame(1, 60));
  assert.deepEqual((await far.events.take(1)).map(numberOf), [1]);
});

test('a device that is set down and up goes on', { skip }, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const far = await openPort(t, 'far');
  const { index } = nativeAddon().readLink('near');
  for (let round = 0; round < 3; round++) {
    nativeAddon().changeLink(index, 0, -1, -1);
    await until(() => near.events.linkChanges.at(-1)?.state === 'down');
    nativeAddon().changeLink(index, 1, -1, -1);
    await until(() => near.events.linkChanges.at(-1)?.state === 'up');
    await until(() => far.port.send(batchOf(testFrame(round, 60)), 0) === undefined);
    far.port.flush(false);
    assert.deepEqual((await near.events.take(1)).map(numberOf), [round]);
  }
});

test('a device that goes down under a batch loses it, counted', { skip }, async (t) => {
  await layCable(t);
  const { port, events } = await openPort(t, 'near');
  nativeAddon().changeLink(nativeAddon().readLink('near').index, 0, -1, -1);
  sendAll(port, ...Array.from({ length: 100 }, (_, number) => testFrame(number, 60)));
  assert.deepEqual(Object.fromEntries(events.discards), { 'tx linkDown': 100 });
});

test('a frame that the device finds too long is counted, and those around it pass', { skip }, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const far = await openPort(t, 'far');
  // The MTU changes before the port hears of it.
  nativeAddon().changeLink(nativeAddon().readLink('near').index, -1, 1000, -1);
  sendAll(near.port, testFrame(0, 60), testFrame(1, 1500), testFrame(2, 60), testFrame(3, 1200), testFrame(4, 1014));
  assert.deepEqual((await far.events.take(3)).map(numberOf), [0, 2, 4]);
  assert.deepEqual(Object.fromEntries(near.events.discards), { 'tx tooLong': 2 });
  assert.deepEqual(near.events.examples, [
    'tx tooLong: 02:00:00:00:00:01 > 02:00:00:00:00:02, type 0x88b5, 1200 octets',
  ]);
  await until(() => near.port.maxFrameBytes === 1014);
  assert.equal(near.port.send(batchOf(testFrame(5, 1015)), 0), 'tooLong');
});

test('what the kernel drops because nothing reads is counted', { skip }, async (t) => {
  await layCable(t);
  const near = await openPort(t, 'near');
  const far = await openPort(t, 'far');
  const frames = 40_000;
  const batch = batchOf(testFrame(0, 60));
  for (let sent = 0; sent < frames; sent++) assert.equal(far.port.send(batch, 0), undefined);
  far.port.flush(false);
  await until(() => near.events.frames.length + (near.events.discards.get('rx queueFull') ?? 0) >= frames);
  // The kernel's own frames, of IPv6, may be among those that it dropped.
  assert.ok(near.events.frames.length + (near.events.discards.get('rx queueFull') ?? 0) < frames + 20);
  assert.ok(near.events.frames.length < frames);
});

test('a device that is deleted leaves its port down, and nothing once that is closed', { skip }, async (t) => {
  const before = openDescriptors();
  ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
  const { port, events } = await openPort(t, 'near');
  ip('link', 'delete', 'near');
  await until(() => events.linkChanges.at(-1)?.reason === 'waiting for near');
  assert.equal(events.linkChanges.at(-1)?.state, 'down');
  await port.close();
  assert.deepEqual(openDescriptors(), before);
});

test('two hundred ports leave no descriptor', { skip }, async (t) => {
  await layCable(t);
  const before = openDescriptors();
  for (let round = 0; round < 200; round++) {
    const port = await NetdevPort.open('near', { offload: round % 2 === 0 });
    if (round % 3 !== 0) port.open(new PortRecorder());
    await port.close();
  }
  assert.deepEqual(openDescriptors(), before);
});

test('what is no Ethernet device is refused', { skip }, async () => {
  await refusedWith('DEVICE_NOT_FOUND', /no network device "missing"/, NetdevPort.open('missing'));
  await refusedWith('DEVICE_FAILED', /"lo" is no Ethernet device/, NetdevPort.open('lo'));
  await refusedWith('ARGUMENT_INVALID', /contains "%"/, NetdevPort.open('eth%d'));
});
