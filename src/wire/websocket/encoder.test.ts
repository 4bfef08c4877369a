import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchWithHeaders, framesOf } from '../../../test/support/frames.ts';
import { ParserProbe } from '../../../test/support/message-stream.ts';
import { ADDON_HINT, builtCodec } from '../../../test/support/offload-addon.ts';
import { batchOf, type FrameBatch } from '../ethernet/frame-batch.ts';
import { readMessage } from '../tunnel/tunnel-message.ts';
import { MAX_HEADER_BYTES, MaskingKeys, MessageEncoder, maskInScript, OPCODE_BINARY } from './framing.ts';
import type { MessageCodec } from './message-codec.ts';

const CODEC = builtCodec();
const ENDS = [
  ['a client', true],
  ['a server', false],
] as const;

/** Masking keys 1, 2, 3, …, so that the test knows each. */
function countedKeys(): MaskingKeys {
  let next = 0;
  return new MaskingKeys((pool) => {
    const view = new DataView(pool.buffer, pool.byteOffset, pool.length);
    for (let at = 0; at < pool.length; at += 4) view.setUint32(at, ++next);
  });
}

function encoderOf(isClient: boolean, codec?: MessageCodec): MessageEncoder {
  return new MessageEncoder(isClient ? { mask: maskInScript, keys: countedKeys() } : undefined, codec);
}

/** The binary messages in these octets, as the peer parses them. */
function messagesIn(octets: Buffer, isMasked: boolean): string[] {
  const probe = new ParserProbe({ isMasked, maxMessageBytes: 2 ** 21 });
  probe.feed(Buffer.from(octets));
  assert.equal(probe.violated, undefined);
  assert.equal(probe.restBytes, 0);
  return probe.events.map((event) => (event.kind === 'binary' ? event.bytes : event.kind));
}

/** Different frames of these lengths. */
function framesOfLengths(...lengths: number[]): Buffer[] {
  return lengths.map((length, number) => Buffer.alloc(length, number + 1));
}

for (const [name, isClient] of ENDS) {
  for (const [writer, codec] of [
    ['TypeScript', undefined],
    ['C', CODEC],
  ] as const) {
    const skip = writer === 'C' && codec === undefined && ADDON_HINT;
    describe(`frames that ${name} writes as messages of their own, in ${writer}`, { skip }, () => {
      const written = (batch: FrameBatch, indexes: number[], from: number, to: number, least: number): Buffer => {
        const target = Buffer.alloc(6 + (to - from) * (MAX_HEADER_BYTES + 2000), 0xee);
        const end = encoderOf(isClient, codec).encodeFrames(target, 5, batch, indexes, from, to, least);
        assert.deepEqual(target.subarray(0, 5), Buffer.alloc(5, 0xee), 'nothing in front');
        assert.equal(target[end], 0xee, 'nothing behind the end that was returned');
        return target.subarray(5, end);
      };

      test('are those that were asked for, in that order', () => {
        const frames = framesOfLengths(60, 125, 126, 1514, 0, 200);
        const hex = frames.map((frame) => frame.toString('hex'));
        const octets = written(batchOf(...frames), [5, 4, 3, 2, 1, 0], 1, 5, 0);
        assert.deepEqual(messagesIn(octets, isClient), [hex[4], hex[3], hex[2], hex[1]]);
        assert.deepEqual(messagesIn(written(batchOf(...frames), [0, 3], 1, 2, 0), isClient), [hex[3]]);
        assert.equal(written(batchOf(...frames), [0], 0, 0, 0).length, 0);
      });

      test('are padded with zeros to the least length', () => {
        const octets = written(batchOf(...framesOfLengths(14, 59, 60, 61)), [0, 1, 2, 3], 0, 4, 60);
        assert.deepEqual(messagesIn(octets, isClient), [
          '01'.repeat(14) + '00'.repeat(46),
          `${'02'.repeat(59)}00`,
          '03'.repeat(60),
          '04'.repeat(61),
        ]);
      });

      test('may be more than one call of the codec writes', () => {
        const count = 2 * 256 + 1;
        const frames = Array.from({ length: count }, (_, number) => Buffer.from([number >> 8, number & 255]));
        const octets = written(batchOf(...frames), [...frames.keys()], 0, count, 0);
        assert.deepEqual(
          messagesIn(octets, isClient),
          frames.map((frame) => frame.toString('hex')),
        );
      });

      // Only what a client sends is masked (RFC 6455, 5.1).
      if (isClient) {
        test('each have a key of their own', () => {
          const count = 600;
          const octets = written(
            batchOf(...framesOfLengths(...Array(count).fill(0))),
            [...Array(count).keys()],
            0,
            count,
            0,
          );
          // Each message is a header of two octets and the key.
          const keys = Array.from({ length: count }, (_, number) => octets.readUInt32BE(6 * number + 2));
          assert.deepEqual([octets.length, new Set(keys).size], [6 * count, count]);
        });
      }
    });
  }

  describe(`frames that ${name} writes as one message of records`, { skip: CODEC === undefined && ADDON_HINT }, () => {
    const written = (batch: FrameBatch, indexes: number[], from: number, to: number): Buffer | undefined => {
      const target = Buffer.alloc(2 ** 19, 0xee);
      const end = encoderOf(isClient, CODEC).encodeRecords(target, 3, batch, indexes, from, to);
      if (end === undefined) assert.deepEqual(target, Buffer.alloc(2 ** 19, 0xee), 'nothing is written');
      return end === undefined ? undefined : target.subarray(3, end);
    };
    const recordsIn = (octets: Buffer): [header: string, frame: string][] => {
      const messages = messagesIn(octets, isClient);
      assert.equal(messages.length, 1);
      const message = Buffer.from(messages[0] as string, 'hex');
      const records: [string, string][] = [];
      const breach = readMessage(message, 0, message.length, (bytes, start, length) => {
        records.push([bytes.toString('hex', start - 10, start), bytes.toString('hex', start, start + length)]);
      });
      assert.equal(breach, undefined);
      return records;
    };

    test('are those that were asked for, with their offload headers', () => {
      const header = { flags: 1, gsoType: 0, headerBytes: 0, gsoSize: 0, checksumStart: 34, checksumOffset: 16 };
      const frames = framesOfLengths(60, 300, 1514);
      const batch = batchWithHeaders(frames.map((frame) => ({ frame, header })));
      assert.deepEqual(recordsIn(written(batch, [2, 0, 1], 1, 3) as Buffer), [
        ['01000000000022001000', '01'.repeat(60)],
        ['01000000000022001000', '02'.repeat(300)],
      ]);
      assert.deepEqual(recordsIn(written(batchOf(...frames), [1, 2], 0, 2) as Buffer), [
        ['00'.repeat(10), '02'.repeat(300)],
        ['00'.repeat(10), '03'.repeat(1514)],
      ]);
    });

    // Only what a client sends is masked (RFC 6455, 5.1).
    if (isClient) {
      test('are masked with a key of their own', () => {
        const encoder = encoderOf(isClient, CODEC);
        const batch = batchOf(...framesOfLengths(300));
        const keys = [1, 2, 3].map(() => {
          const target = Buffer.alloc(400);
          assert.notEqual(encoder.encodeRecords(target, 0, batch, [0], 0, 1), undefined);
          // The key follows two octets of the header and two of the length.
          return target.readUInt32BE(4);
        });
        assert.deepEqual(keys, [1, 2, 3]);
      });
    }

    test('are written by other code without a codec, if there are more than 256, or one that is short', () => {
      const batch = batchOf(...framesOfLengths(255, 256, 60));
      assert.equal(written(batch, [0], 0, 1), undefined);
      assert.equal(recordsIn(written(batch, [1], 0, 1) as Buffer).length, 1);
      assert.equal(recordsIn(written(batch, [2, 2], 0, 2) as Buffer).length, 2);
      const indexes = Array(257).fill(2);
      assert.equal(recordsIn(written(batch, indexes, 1, 257) as Buffer).length, 256);
      assert.equal(written(batch, indexes, 0, 257), undefined);
      assert.equal(encoderOf(isClient).encodeRecords(Buffer.alloc(2000), 0, batch, [1], 0, 1), undefined);
    });
  });

  test(`whether two peers may get the same octets of ${name}`, () => {
    assert.equal(encoderOf(isClient).isMasking, isClient);
  });

  test(`the header that ${name} writes for a payload beyond 32 bits of length`, () => {
    const header = Buffer.alloc(20);
    const end = encoderOf(isClient).begin(header, 1, OPCODE_BINARY, 5 * 2 ** 32 + 0xffff_fffe);
    const mask = isClient ? 'ff' : '7f';
    const key = isClient ? '00000001' : '';
    assert.equal(header.toString('hex', 0, end), `0082${mask}00000005fffffffe${key}`);
  });

  test(`a payload that ${name} writes in place is masked from its first octet to its last`, () => {
    const encoder = encoderOf(isClient);
    const target = Buffer.alloc(100, 0xee);
    const start = encoder.begin(target, 0, OPCODE_BINARY, 21);
    target.write('twenty-one octets now', start);
    encoder.finish(target, start, 21);
    assert.equal(target[start + 21], 0xee);
    assert.deepEqual(messagesIn(target.subarray(0, start + 21), isClient), [
      Buffer.from('twenty-one octets now').toString('hex'),
    ]);
  });
}

test('no key is handed out twice, however many are asked for at once', () => {
  const keys = countedKeys();
  const seen: number[] = [];
  const take = (count: number): void => {
    const target = Buffer.alloc(4 * count);
    keys.fill(target);
    for (let at = 0; at < target.length; at += 4) seen.push(target.readUInt32BE(at));
  };
  const one = Buffer.alloc(9);
  for (const count of [4096, 1, 4095, 4096, 3000, 1095]) take(count);
  for (let writes = 0; writes < 2; writes++) {
    keys.write(one, 3);
    seen.push(one.readUInt32BE(3));
  }
  take(4096);
  assert.deepEqual([...one.subarray(0, 3), ...one.subarray(7)], [0, 0, 0, 0, 0]);
  const inOrder = Array.from({ length: 4 * 4096 + 1 }, (_, number) => number + 1);
  assert.deepEqual(seen.slice(0, inOrder.length), inOrder, 'and none is left out that fits');
  assert.equal(new Set(seen).size, seen.length);
});

test('frames of a batch stay as they were', () => {
  const frames = framesOfLengths(300, 20);
  for (const [, isClient] of ENDS) {
    const batch = batchOf(...frames);
    encoderOf(isClient).encodeFrames(Buffer.alloc(1000), 0, batch, [0, 1], 0, 2, 60);
    assert.deepEqual(framesOf(batch), frames);
  }
});
