import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { batchWithHeaders, checksumsAreRight, superFrameOf } from '../../test/support/frames.ts';
import { until } from '../../test/support/waits.ts';
import type { CaptureEnd, CaptureSink } from '../capture/capture.ts';
import { compileFilter } from '../capture/filter.ts';
import { PcapngReader, type ReadPacket } from '../capture/pcapng-reader.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import type { RunningCapture } from './captures.ts';
import { Switch } from './switch.ts';

const BROADCAST = 0xffff_ffff_ffff;
/** 03-45-…: a group, of whose frames storm control lets more pass than of broadcasts. */
const GROUP = 0x0345_0000_0001;

/** A frame between stations, whose addresses are made of a number. */
function frame(to: number, from: number, length = 60): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(to >= GROUP ? to : 0x02_0000_0000_00 + to, 0, 6);
  bytes.writeUIntBE(0x02_0000_0000_00 + from, 6, 6);
  bytes.writeUInt16BE(0x88b5, 12);
  return bytes;
}

/** A reader of a capture, which can pause. */
class Reader implements CaptureSink {
  readonly packets: ReadPacket[] = [];
  readonly removed: number[] = [];
  end: CaptureEnd | undefined;
  heldBytes = 0;
  isFull = false;
  isReading = true;
  readonly #reader = new PcapngReader();
  readonly #waiting: (() => void)[] = [];

  get budget(): CaptureSink['budget'] {
    const reader = this;
    return {
      get isFull(): boolean {
        return reader.isFull;
      },
      hold: (bytes) => {
        reader.heldBytes += bytes;
      },
      release: (bytes) => {
        reader.heldBytes -= bytes;
      },
    };
  }

  send(octets: Uint8Array, sent: () => void): void {
    this.packets.push(...this.#reader.read(octets));
    this.#waiting.push(sent);
    if (this.isReading) this.read();
  }

  read(): void {
    for (const sent of this.#waiting.splice(0)) sent();
  }

  portRemoved(index: number): void {
    this.removed.push(index);
  }

  ended(reason: CaptureEnd): void {
    this.end = reason;
  }

  get told(): string[] {
    return this.packets.map(({ interfaceName, direction, length, comments }) =>
      [interfaceName, direction, length, ...comments].join(' '),
    );
  }
}

interface World {
  readonly lan: Switch;
  readonly ports: readonly MemoryPort[];
  capture(
    numbers: readonly number[],
    options?: { filter?: string; snapLength?: number; count?: number; user?: string },
  ): { reader: Reader; running: RunningCapture };
}

function open(t: TestContext): World {
  const lan = new Switch();
  t.after(() => lan.close());
  const ports = Array.from({ length: 3 }, () => new MemoryPort({ queueFrames: 2 }));
  for (const port of ports) lan.attach(port);
  const capture: World['capture'] = (numbers, { filter = '', snapLength = 0, count, user } = {}) => {
    const reader = new Reader();
    const options = {
      ports: numbers.map((number) => ({ name: `p${number}`, description: '' })),
      filter: compileFilter(filter),
      filterText: filter,
      snapLength,
      count,
      application: 'test',
    };
    const bridgePorts = numbers.map((number) => lan.port(number));
    return { reader, running: lan.captures.start(bridgePorts, options, reader, user) };
  };
  return { lan, ports, capture };
}

test('frames are captured in order and with their direction, and those that are discarded with the reason', async (t) => {
  const { lan, ports, capture } = open(t);
  const [one, two, three] = ports as [MemoryPort, MemoryPort, MemoryPort];
  const { reader, running } = capture([1, 2]);
  const other = capture([2], { filter: 'less 60' });
  one.deliver(frame(BROADCAST, 1));
  two.deliver(frame(1, 2, 61), frame(2, 2, 62), frame(1, 0x01_0000_0000_00, 63), Buffer.alloc(9));
  three.deliver(frame(1, 3, 64));
  two.stall(true);
  three.deliver(frame(2, 3, 65), frame(2, 3, 66), frame(2, 3, 67));
  lan.administration.setShut(1, true);
  one.deliver(frame(2, 1, 68));
  await until(() => reader.packets.length === 12);
  assert.deepEqual(reader.told, [
    'p1 rx 60',
    'p2 tx 60',
    'p2 rx 61',
    'p2 rx 62 discarded: filtered',
    'p2 rx 63 discarded: badSource',
    'p2 rx 9 discarded: runt',
    'p1 tx 61',
    'p1 tx 64',
    'p2 tx 65',
    'p2 tx 66',
    'p2 tx 67 discarded: queueFull',
    'p1 rx 68 discarded: shut',
  ]);
  const times = reader.packets.map(({ timeUs }) => timeUs);
  assert.deepEqual(times, times.toSorted());
  assert.ok(Math.abs((times[0] ?? 0) / 1000 - Date.now()) < 60_000);
  running.capture.end('call');
  await until(() => reader.end === 'call');
  assert.deepEqual(running.capture.statistics, [
    { seen: 4, matched: 4, lost: 0 },
    { seen: 8, matched: 8, lost: 0 },
  ]);
  running.release();
  running.release();
  assert.deepEqual(other.reader.told, ['p2 tx 60', 'p2 rx 9 discarded: runt']);
  assert.deepEqual([lan.port(1).tap, lan.port(1).port === one, lan.port(2).port === two], [undefined, true, false]);
  other.running.release();
  assert.equal(lan.port(2).port, two);
  assert.equal(reader.heldBytes, 0);
});

test('octets are those of the frames, cut to the length that is asked for, and the count ends it', async (t) => {
  const { ports, capture } = open(t);
  const { reader } = capture([1], { snapLength: 20, count: 2 });
  const frames = [frame(BROADCAST, 1, 15), frame(BROADCAST, 1, 100), frame(BROADCAST, 1)];
  frames[1]?.fill(0xab, 14);
  ports[0]?.deliver(...frames);
  // After `receive` the port may reuse the slab.
  for (const each of frames) each.subarray(14).fill(0);
  await until(() => reader.end === 'count');
  assert.deepEqual(
    reader.packets.map(({ bytes, length }) => [Buffer.from(bytes).toString('hex').slice(24), length]),
    [
      ['88b500', 15],
      ['88b5abababababab', 100],
    ],
  );
});

test('a reader that stops loses frames and is told how many; traffic does not wait, and no octet stays counted', async (t) => {
  const { ports, capture, lan } = open(t);
  const { reader, running } = capture([1]);
  let arrived = 0;
  ports[1]?.onFrames((frames) => {
    arrived += frames.length;
  });
  reader.isReading = false;
  const long = frame(GROUP, 1, 1500);
  const turn = async (): Promise<void> => {
    for (let count = 0; count < 500; count++) ports[0]?.deliver(long);
    await new Promise(setImmediate);
  };
  for (let count = 0; count < 10; count++) await turn();
  assert.equal(arrived, 5000);
  const [{ seen, lost } = { seen: 0, lost: 0 }] = running.capture.statistics;
  assert.equal(seen, 5000);
  assert.ok(lost > 1000 && lost < 3000, `${lost} lost`);
  assert.ok(reader.heldBytes < 4.6 * 1024 * 1024, `${reader.heldBytes} octets held`);
  assert.ok(running.capture.isReaderSlow);
  reader.isReading = true;
  reader.read();
  await until(() => reader.packets.length === seen - lost);
  ports[0]?.deliver(long);
  await until(() => reader.packets.length === seen - lost + 1);
  assert.equal(reader.packets.at(-1)?.lost, lost, 'the frame behind the gap says how many are missing');
  ports[0]?.deliver(long);
  await until(() => reader.packets.length === seen - lost + 2);
  assert.equal(reader.packets.at(-1)?.lost, 0, 'once');
  assert.equal(running.capture.isReaderSlow, false);
  reader.isFull = true;
  ports[0]?.deliver(long);
  assert.equal(running.capture.statistics[0]?.lost, lost + 1, 'and so when the buffers of the process are full');
  reader.isFull = false;
  reader.isReading = false;
  for (let count = 0; count < 500; count++) ports[0]?.deliver(long);
  await until(() => running.capture.isReaderSlow);
  running.release();
  running.capture.abandon();
  reader.read();
  assert.equal(reader.heldBytes, 0);
  assert.equal(lan.port(1).port, ports[0]);
});

test('a port that is removed is told; with the last one the capture ends', async (t) => {
  const { lan, ports, capture } = open(t);
  const { reader } = capture([2, 1]);
  ports[0]?.deliver(frame(BROADCAST, 1));
  await lan.detach(1);
  assert.deepEqual(reader.removed, [1]);
  await lan.detach(2);
  await until(() => reader.end === 'removed');
  assert.deepEqual(reader.told, ['p1 rx 60', 'p2 tx 60']);
});

test('a super-frame is one long packet whose checksum is right, also where a contradictory header stands before it', async (t) => {
  const { ports, capture } = open(t);
  const { reader } = capture([1]);
  const payload = Buffer.alloc(20_000, 0x5a);
  const made = (['tcp', 'udp'] as const).flatMap((protocol) => [
    superFrameOf({ protocol, payload }, 1400),
    superFrameOf({ protocol, payload, ipv6: true, tags: [7] }, 1400),
    superFrameOf({ protocol, payload: payload.subarray(0, 99) }, 0),
  ]);
  const lying = superFrameOf({ payload: payload.subarray(0, 99) }, 0);
  const batch = batchWithHeaders([
    ...made,
    { frame: lying.frame, header: { ...lying.header, checksumStart: 60_000 } },
    { frame: lying.frame, header: { ...lying.header, checksumOffset: 60_000 } },
  ]);
  const before = Buffer.from(batch.bytes);
  ports[0]?.deliverBatch(batch);
  await until(() => reader.packets.length === made.length + 2);
  for (const [at, { frame: sent }] of made.entries()) {
    const bytes = Buffer.from(reader.packets[at]?.bytes ?? []);
    assert.equal(bytes.length, sent.length);
    assert.ok(checksumsAreRight(bytes), `frame ${at}`);
  }
  assert.deepEqual(reader.told.slice(-2), ['p1 rx 153 discarded: badOffload', 'p1 rx 153 discarded: badOffload']);
  assert.ok(before.equals(batch.bytes) || batch.bytes.length === before.length);
});

test('only so many captures run at once', (t) => {
  const { capture } = open(t);
  const captures = Array.from({ length: 8 }, () => capture([1]).running);
  assert.throws(() => capture([1]), /8 captures run already/);
  captures[0]?.release();
  capture([1]);
});

test('one user cannot take all captures, and one that ends makes room', (t) => {
  const { capture } = open(t);
  const own = Array.from({ length: 4 }, () => capture([1], { user: 'ada' }));
  assert.throws(() => capture([1], { user: 'ada' }), /User ada runs 4 captures, and one user may run 4 of the 8/);
  const others = Array.from({ length: 4 }, (_, at) => capture([1], at === 0 ? {} : { user: 'bob' }));
  assert.throws(() => capture([1]), /8 captures run already/);
  own[0]?.running.release();
  capture([1], { user: 'ada' });
  for (const { running } of [...own, ...others]) running.release();
});
