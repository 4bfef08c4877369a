import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchWithHeaders } from '../../../test/support/frames.ts';
import { MAX_SUPER_FRAME_BYTES } from '../ethernet/ethernet-frame.ts';
import { batchOf } from '../ethernet/frame-batch.ts';
import { neededOffloads } from '../offload/virtio-header.ts';
import {
  MAX_TUNNEL_MESSAGE_BYTES,
  MESSAGE_HEAD_BYTES,
  RECORD_LEAD_BYTES,
  readMessage,
  selectWireVersion,
  WIRE_HEADER,
  WIRE_OFFLOADS,
  writeMessageHead,
  writeRecord,
} from './tunnel-message.ts';

interface Seen {
  header: string;
  frame: string;
}

function read(message: Buffer): { seen: Seen[]; breach: string | undefined } {
  const seen: Seen[] = [];
  const breach = readMessage(message, 0, message.length, (bytes, start, length) => {
    seen.push({
      header: bytes.subarray(start - 10, start).toString('hex'),
      frame: bytes.subarray(start, start + length).toString('hex'),
    });
  });
  return { seen, breach };
}

/** The octets of the hex dump in docs/reference/protocol.md that follows `words`. */
function dumpBehind(words: string): Buffer {
  const page = readFileSync(new URL('../../../../docs/reference/protocol.md', import.meta.url), 'utf8');
  const dump = page.slice(page.indexOf(words)).split('```')[1] ?? '';
  const rows = dump.split('\n').map((row) => /^(?:[0-9a-f]{2} ?)+(?= {2}|$)/.exec(row)?.[0] ?? '');
  return Buffer.from(rows.join('').replaceAll(' ', ''), 'hex');
}

test('the example in docs/reference/protocol.md is read as it says, and written as it stands', () => {
  const example = dumpBehind('Two frames in one message of a server');
  assert.equal(example.readUInt16BE(2), example.length - 4, 'the WebSocket header tells the length');
  const message = example.subarray(4);
  const { seen, breach } = read(message);
  assert.equal(breach, undefined);
  assert.deepEqual(
    seen.map(({ header, frame }) => [header, frame.length / 2]),
    [
      ['00'.repeat(10), 42],
      ['01000000000022001000', 68],
    ],
  );
  const frames = seen.map(({ frame }) => Buffer.from(frame, 'hex'));
  const owed = { flags: 1, gsoType: 0, headerBytes: 0, gsoSize: 0, checksumStart: 34, checksumOffset: 16 };
  const batch = batchWithHeaders([{ frame: frames[0] as Buffer }, { frame: frames[1] as Buffer, header: owed }]);
  const written = Buffer.alloc(message.length);
  writeRecord(written, writeRecord(written, writeMessageHead(written, 0), batch, 0), batch, 1);
  assert.deepEqual(written, message);
});

test('records survive being written and read, with and without offload headers', () => {
  const frame = fc.uint8Array({ minLength: 0, maxLength: 200 });
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 10 }), fc.boolean(), (frames, hasHeaders) => {
      const batch = hasHeaders ? batchWithHeaders(frames.map((bytes) => ({ frame: bytes }))) : batchOf(...frames);
      const size = frames.reduce((sum, { length }) => sum + RECORD_LEAD_BYTES + length, MESSAGE_HEAD_BYTES);
      const message = Buffer.alloc(size, 0xee);
      const end = frames.reduce((at, _, index) => writeRecord(message, at, batch, index), writeMessageHead(message, 0));
      assert.equal(end, size);
      const { seen, breach } = read(message);
      assert.equal(breach, undefined);
      assert.deepEqual(
        seen,
        frames.map((bytes) => ({ header: '00'.repeat(10), frame: Buffer.from(bytes).toString('hex') })),
      );
    }),
  );
});

test('what breaks the format is named, and the frames before it are told', () => {
  const whole = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 14]), Buffer.alloc(10), Buffer.alloc(14, 7)]);
  assert.match(read(Buffer.alloc(0)).breach ?? '', /without a type/);
  assert.match(read(Buffer.from([0])).breach ?? '', /type 0/);
  assert.match(read(Buffer.from([0x7f])).breach ?? '', /type 127/);
  assert.match(read(Buffer.from([1, 0])).breach ?? '', /head/);
  assert.match(read(Buffer.concat([whole, Buffer.alloc(13)])).breach ?? '', /inside its header/);
  assert.match(read(whole.subarray(0, -1)).breach ?? '', /exceeds/);
  const giant = Buffer.concat([whole, Buffer.from([0, 1, 0, 0x16]), Buffer.alloc(20)]);
  const { seen, breach } = read(giant);
  assert.match(breach ?? '', /65558 octets/);
  assert.equal(seen.length, 1);
});

test('control messages are none of our business', () => {
  for (const type of [0x80, 0xff])
    assert.deepEqual(read(Buffer.from([type, 1, 2, 3])), { seen: [], breach: undefined });
});

test('whatever arrives, frames lie inside their message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const message = Buffer.from(octets);
      if (message.length > 0) message[0] = 1;
      let last = 0;
      readMessage(message, 0, message.length, (_bytes, start, length) => {
        assert.ok(start >= last + RECORD_LEAD_BYTES && start + length <= message.length);
        last = start + length;
      });
    }),
    { numRuns: 20_000 },
  );
});

test('a version is taken when it is offered among others', () => {
  assert.equal(selectWireVersion('1'), '1');
  assert.equal(selectWireVersion('3, 1'), '1');
  for (const offered of [undefined, '', '2', '11', 'x1']) assert.equal(selectWireVersion(offered), undefined);
});

test('what version 1 is agreed to be', () => {
  assert.equal(WIRE_HEADER, 'Etherws-Wire');
  assert.equal(MAX_TUNNEL_MESSAGE_BYTES, 2 ** 20);
  const isCarried = (flags: number, gsoType: number) =>
    (neededOffloads(Uint8Array.of(flags, gsoType), 0) & ~WIRE_OFFLOADS) === 0;
  // Checksums, and TCP over IPv4 and IPv6, with and without ECN; not UDP super-frames.
  for (const gsoType of [0, 1, 4, 0x81, 0x84]) assert.ok(isCarried(1, gsoType), `gso_type ${gsoType}`);
  for (const gsoType of [3, 5]) assert.ok(!isCarried(1, gsoType), `gso_type ${gsoType}`);
  assert.ok(!isCarried(0x81, 1), 'nothing encapsulated');
});

test('head and records are written where they belong, and nothing beside them', () => {
  const frames = [0, 255, 256, 1514].map((length, number) => Buffer.alloc(length, number + 1));
  const header = { flags: 1, gsoType: 1, headerBytes: 54, gsoSize: 1448, checksumStart: 34, checksumOffset: 16 };
  for (const batch of [batchOf(...frames), batchWithHeaders(frames.map((frame) => ({ frame, header })))]) {
    const size = frames.reduce((sum, { length }) => sum + RECORD_LEAD_BYTES + length, MESSAGE_HEAD_BYTES);
    const target = Buffer.alloc(5 + size + 5, 0xee);
    let end = writeMessageHead(target, 5);
    for (const index of frames.keys()) {
      end = writeRecord(target, end, batch, index);
      assert.equal(target[end], 0xee);
    }
    assert.equal(end, 5 + size);
    assert.deepEqual([target.subarray(0, 5), target.subarray(end)], [Buffer.alloc(5, 0xee), Buffer.alloc(5, 0xee)]);
    assert.deepEqual(target.subarray(5, 9), Buffer.from([1, 0, 0, 0]));
    const { seen, breach } = read(target.subarray(5, end));
    assert.equal(breach, undefined);
    const owed = batch.hasOffloadHeaders ? '01013600a80522001000' : '00'.repeat(10);
    assert.deepEqual(
      seen,
      frames.map((frame) => ({ header: owed, frame: frame.toString('hex') })),
    );
  }
});

test('a message may have no frame, and a frame the greatest length', () => {
  assert.deepEqual(read(Buffer.from([1, 0, 0, 0])), { seen: [], breach: undefined });
  assert.match(read(Buffer.from([1, 0, 0])).breach ?? '', /without its head/);
  const longest = Buffer.alloc(MESSAGE_HEAD_BYTES + RECORD_LEAD_BYTES + MAX_SUPER_FRAME_BYTES);
  longest[0] = 1;
  longest.writeUInt32BE(MAX_SUPER_FRAME_BYTES, MESSAGE_HEAD_BYTES);
  const { seen, breach } = read(longest);
  assert.deepEqual([seen.length, breach], [1, undefined]);
});
