import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { openDescriptors } from '../../../test/support/descriptors.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { numberOf, PortRecorder, testFrame } from '../../../test/support/port-recorder.ts';
import { missingTools } from '../../../test/support/tools.ts';
import { once, until } from '../../../test/support/waits.ts';
import { type ErrorCode, EtherwsError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import type { Link } from '../../native/links.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { NetdevPort } from './netdev-port.ts';
import { TapPort, type TapPortOptions } from './tap-port.ts';

const DEADLINE_MS = 60_000;

const skip = enterOwnNamespace('ip');

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

async function openTap(t: TestContext, name: string, options?: TapPortOptions): Promise<TapPort> {
  const port = await TapPort.open(name, options);
  t.after(() => port.close());
  return port;
}

/** The kernel's side of a TAP: what is sent here, the port receives. */
async function openKernelSide(t: TestContext, name: string): Promise<{ port: NetdevPort; events: PortRecorder }> {
  const port = await NetdevPort.open(name);
  t.after(() => port.close());
  const events = new PortRecorder();
  port.open(events);
  return { port, events };
}

function sendAll(port: TapPort | NetdevPort, ...frames: Buffer[]): void {
  const batch = batchOf(...frames);
  for (let index = 0; index < batch.count; index++) assert.equal(port.send(batch, index), undefined);
  port.flush(false);
}

function linkOf(name: string): Link | undefined {
  try {
    return nativeAddon().readLink(name);
  } catch {
    return undefined;
  }
}

async function refusedWith(code: ErrorCode, message: RegExp, hint: RegExp, action: Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error: unknown) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    return true;
  });
}

test('two hundred ports leave no descriptor and no device', { skip }, async () => {
  await (await TapPort.open('warm')).close(); // what is opened once and kept is open from here on
  const before = openDescriptors();
  for (let round = 0; round < 10; round++) {
    const ports = await Promise.all(
      Array.from({ length: 20 }, (_, number) => TapPort.open('tap%d', { offload: number % 2 === 0 })),
    );
    for (const port of ports.slice(round)) port.open(new PortRecorder());
    await Promise.all(ports.map((port) => port.close()));
    await assert.rejects(TapPort.open('lo'));
  }
  assert.deepEqual(openDescriptors(), before);
  assert.equal(linkOf('tap0'), undefined);
});

test('a pattern gets the first free number, and the device is up', { skip }, async (t) => {
  const [first, second] = [await openTap(t, 'num%d'), await openTap(t, 'num%d')];
  assert.deepEqual([first.target, second.target], ['num0', 'num1']);
  assert.equal(linkOf('num1')?.isUp, true);
});

test('what was sent at once arrives as one batch, its records laid out for the tunnel', { skip }, async (t) => {
  for (const offload of [false, true]) {
    const port = await openTap(t, `batch${Number(offload)}`, { offload });
    const kernel = await openKernelSide(t, port.target);
    const events = new PortRecorder();
    let batches = 0;
    events.onBatch = ({ bytes, starts, lengths, count, hasOffloadHeaders }) => {
      batches++;
      assert.ok(hasOffloadHeaders);
      assert.ok((starts[0] as number) - 14 >= 64, 'room for the head of a message');
      for (let index = 0; index < count; index++) {
        const start = starts[index] as number;
        assert.ok(bytes.subarray(start - 10, start).every((octet) => octet === 0));
        if (index > 0) assert.equal(start, (starts[index - 1] as number) + (lengths[index - 1] as number) + 14);
      }
    };
    port.open(events);
    for (let turns = 0; turns < 10; turns++) await turn(); // what the kernel itself said at first
    batches = 0;
    sendAll(kernel.port, ...Array.from({ length: 200 }, (_, number) => testFrame(number, 60 + number)));
    assert.deepEqual(
      (await events.take(200)).map(numberOf),
      Array.from({ length: 200 }, (_, number) => number),
    );
    assert.equal(batches, 1);
  }
});

test('nothing is lost of what comes while the switch waits 50 ms for a processor', { skip }, async (t) => {
  const port = await openTap(t, 'queue');
  const kernel = await openKernelSide(t, port.target);
  const events = new PortRecorder();
  port.open(events);
  // 9000 frames, which are 50 ms of 180 000 a second, while the loop does not turn.
  const numbers = Array.from({ length: 9000 }, (_, number) => number);
  for (let at = 0; at < numbers.length; at += 500) {
    sendAll(kernel.port, ...numbers.slice(at, at + 500).map((number) => testFrame(number, 60)));
  }
  await Promise.race([events.taken(numbers.length), delay(DEADLINE_MS, undefined, { ref: false })]);
  const arrived = events.frames.map(numberOf);
  assert.deepEqual(arrived, numbers, `only ${arrived.length} of ${numbers.length} frames came out of the device`);
});

test('a device that is set down drops and says so, and comes back', { skip }, async (t) => {
  const port = await openTap(t, 'updown');
  const kernel = await openKernelSide(t, 'updown');
  const events = new PortRecorder();
  port.open(events);
  const { index } = linkOf('updown') as Link;

  nativeAddon().changeLink(index, 0, -1, -1);
  // Nothing has told the port yet: the device refuses, frame by frame or all at once.
  sendAll(port, testFrame(0, 60), testFrame(1, 60), testFrame(2, 60));
  assert.deepEqual(Object.fromEntries(events.discards), { 'tx linkDown': 3 });
  assert.deepEqual(await events.linkChange(), { state: 'down', reason: 'updown is set down' });
  assert.equal(port.send(batchOf(testFrame(3, 60)), 0), 'linkDown');

  nativeAddon().changeLink(index, 1, -1, -1);
  while (events.linkChanges.at(-1)?.state !== 'up') await once(events, 'change');
  await until(() => kernel.port.send(batchOf(testFrame(4, 60)), 0) === undefined);
  kernel.port.flush(false);
  assert.deepEqual((await events.take(1)).map(numberOf), [4]);
  sendAll(port, testFrame(5, 60));
  assert.deepEqual((await kernel.events.take(1)).map(numberOf), [5]);
});

test('what happened while events were lost is found out', { skip }, async (t) => {
  const port = await openTap(t, 'storm');
  const events = new PortRecorder();
  port.open(events);
  const { index } = linkOf('storm') as Link;
  // Far more than a netlink socket holds, and nothing reads it meanwhile.
  for (let round = 0; round < 1000; round++) nativeAddon().changeLink(index, -1, 1400 + (round % 2), -1);
  nativeAddon().changeLink(index, 0, 1300, -1);
  assert.deepEqual(await events.linkChange(), { state: 'down', reason: 'storm is set down' });
  await until(() => port.maxFrameBytes === 1314);
});

test('a device that is deleted leaves its port down, once, and nothing once that is closed', { skip }, async (t) => {
  await (await TapPort.open('warm')).close();
  const before = openDescriptors();
  const port = await openTap(t, 'doomed');
  const events = new PortRecorder();
  port.open(events);
  ip('link', 'delete', 'doomed');
  assert.deepEqual(await events.linkChange(), { state: 'down', reason: 'waiting for doomed' });
  assert.equal(port.send(batchOf(testFrame(0, 60)), 0), 'linkDown');
  await port.close();
  assert.equal(events.linkChanges.length, 1);
  assert.deepEqual(openDescriptors(), before);
});

test('a device that was deleted before the port was opened is told at open', { skip }, async (t) => {
  const port = await openTap(t, 'early');
  ip('link', 'delete', 'early');
  for (let turns = 0; turns < 3; turns++) await turn();
  const events = new PortRecorder();
  port.open(events);
  assert.deepEqual(await events.linkChange(), { state: 'down', reason: 'waiting for early' });
});

test('a persistent device is attached, kept, and left as it was found', { skip }, async (t) => {
  t.after(() => ip('tuntap', 'delete', 'kept', 'mode', 'tap'));
  ip('tuntap', 'add', 'kept', 'mode', 'tap');
  for (const isUp of [false, true]) {
    ip('link', 'set', 'kept', isUp ? 'up' : 'down');
    const { index } = linkOf('kept') as Link;
    const port = await TapPort.open('kept', { offload: isUp });
    assert.equal(linkOf('kept')?.isUp, true);
    await port.close();
    assert.equal(linkOf('kept')?.index, index);
    assert.equal(linkOf('kept')?.isUp, isUp);
  }
});

test('longer frames pass once the MTU allows them, and no more when it does not', { skip }, async (t) => {
  const port = await openTap(t, 'mtu');
  const kernel = await openKernelSide(t, 'mtu');
  const events = new PortRecorder();
  port.open(events);
  assert.equal<number>(port.maxFrameBytes, 1514);
  const { index } = linkOf('mtu') as Link;
  nativeAddon().changeLink(index, -1, 9000, -1);
  await until(() => !(port.maxFrameBytes !== 9014 || kernel.port.maxFrameBytes !== 9014));
  sendAll(kernel.port, testFrame(0, 9014));
  assert.equal((await events.take(1))[0]?.length, 9014);
  sendAll(port, testFrame(1, 9014));
  assert.equal((await kernel.events.take(1))[0]?.length, 9014);

  nativeAddon().changeLink(index, -1, 600, -1);
  await until(() => port.maxFrameBytes <= 614);
  assert.equal(port.send(batchOf(testFrame(2, 615)), 0), 'tooLong');
});

test('a C-TAG may come on top of the longest frame', { skip }, async (t) => {
  const port = await openTap(t, 'tagged');
  port.open(new PortRecorder());
  const frame = testFrame(0, 1518);
  assert.equal(port.send(batchOf(frame), 0), 'tooLong');
  frame.writeUInt16BE(0x8100, 12);
  assert.equal(port.send(batchOf(frame), 0), undefined);
  assert.equal(port.send(batchOf(Buffer.concat([frame, Buffer.alloc(1)])), 0), 'tooLong');
});

test('a name that is taken is refused with what has it', { skip }, async (t) => {
  await openTap(t, 'taken');
  await refusedWith('DEVICE_BUSY', /"taken" is in use/, /another name/, TapPort.open('taken'));
  ip('link', 'add', 'pair0', 'type', 'veth', 'peer', 'name', 'pair1');
  t.after(() => ip('link', 'delete', 'pair0'));
  await refusedWith('DEVICE_BUSY', /"pair0" .* veth/, /addport netdev pair0/, TapPort.open('pair0'));
  await refusedWith('ARGUMENT_INVALID', /octets/, /^$/, TapPort.open('much-too-long-a-name'));
});

test('without privileges it says which are missing and how to get them', { skip }, async (t) => {
  const missing = missingTools('setpriv');
  if (missing !== false) {
    t.skip(missing);
    return;
  }
  const script = `
    const { TapPort } = await import(${JSON.stringify(new URL('./tap-port.js', import.meta.url).href)});
    const { NetdevPort } = await import(${JSON.stringify(new URL('./netdev-port.js', import.meta.url).href)});
    for (const open of [() => TapPort.open('denied'), () => NetdevPort.open('held'), () => TapPort.open('held')]) {
      await open().then(() => console.log('opened'), ({ code, message, hint }) => console.log([code, message, hint].join('|')));
    }`;
  ip('tuntap', 'add', 'held', 'mode', 'tap', 'user', '0');
  t.after(() => ip('tuntap', 'delete', 'held', 'mode', 'tap'));
  const output = execFileSync(
    'setpriv',
    ['--inh-caps=-all', '--bounding-set=-all', process.execPath, '--input-type=module', '--eval', script],
    { encoding: 'utf8' },
  );
  const [create, netdev, owned] = output.trimEnd().split('\n');
  assert.match(create ?? '', /^PERMISSION_DENIED\|.*"denied"\|.*ip tuntap add denied mode tap user/);
  assert.match(netdev ?? '', /^PERMISSION_DENIED\|.*"held"\|.*CAP_NET_RAW/);
  // Its owner may attach it, but not set it up.
  assert.match(owned ?? '', /^PERMISSION_DENIED\|.*"held" is down.*\|.*ip link set held up/);
});
