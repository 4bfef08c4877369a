import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParserProbe, readWithWs } from '../../../test/support/message-stream.ts';
import { fastMask } from '../../ports/tunnel/masking.ts';
import { MaskingKeys, MessageEncoder, maskInScript, OPCODE_BINARY } from './framing.ts';

const keys = new MaskingKeys((pool) => {
  randomFillSync(pool);
});
const asServer = new MessageEncoder(undefined);
const asClient = new MessageEncoder({ mask: maskInScript, keys });

function encode(encoder: MessageEncoder, payload: Buffer, payloadBytes = payload.length): Buffer {
  const message = Buffer.alloc(encoder.sizeOf(payloadBytes) + 2, 0xee);
  const end = encoder.encode(message, 1, OPCODE_BINARY, payload, 0, payload.length, payloadBytes);
  assert.equal(end, message.length - 1, 'sizeOf and encode differ');
  assert.equal(message[0], 0xee);
  assert.equal(message.at(-1), 0xee, 'wrote past its end');
  return message.subarray(1, end);
}

test('the header of each length form', () => {
  const head = (length: number): string => encode(asServer, Buffer.alloc(length)).toString('hex', 0, 10);
  assert.match(head(0), /^8200/);
  assert.match(head(125), /^827d/);
  assert.match(head(126), /^827e007e/);
  assert.match(head(65_535), /^827effff/);
  assert.match(head(65_536), /^827f0000000000010000/);
});

test('what either role writes is what ws and our own parser read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.oneof(fc.nat(200), fc.constantFrom(125, 126, 127, 1514, 65_535, 65_536, 65_557)),
      fc.nat(64),
      async (isMasked, length, padding) => {
        const payload = Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 0xff));
        const message = encode(isMasked ? asClient : asServer, payload, length + padding);
        const wanted = [{ kind: 'binary', bytes: payload.toString('hex') + '00'.repeat(padding) }];
        const options = { isMasked, maxMessageBytes: 100_000 };
        const probe = new ParserProbe(options);
        probe.feed(message);
        assert.deepEqual(probe.events, wanted);
        assert.deepEqual((await readWithWs([message], options)).events, wanted);
      },
    ),
    { numRuns: 60 },
  );
});

test('a source is masked without being changed', () => {
  const payload = Buffer.alloc(500, 0x55);
  encode(asClient, payload);
  assert.deepEqual(payload, Buffer.alloc(500, 0x55));
});

test('every masking key is fresh', () => {
  let refills = 0;
  const counted = new MaskingKeys((pool) => {
    refills++;
    randomFillSync(pool);
  });
  const seen = new Set<number>();
  const key = Buffer.alloc(4);
  for (let i = 0; i < 12_000; i++) {
    counted.write(key, 0);
    seen.add(key.readUInt32BE());
  }
  assert.ok(seen.size > 2990);
  assert.equal(refills, 3);
});

test('masking in words is masking octet by octet, at every alignment', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat(9),
      fc.nat(9),
      fc.nat(90),
      (key, offset, start, length) => {
        const memory = new Uint8Array(offset + start + length + 7).fill(0x5a);
        const bytes = Buffer.from(memory.buffer, offset);
        maskInScript(bytes, start, bytes, start, length, key);
        for (const [index, octet] of bytes.entries()) {
          const isInside = index >= start && index < start + length;
          assert.equal(octet, isInside ? 0x5a ^ (key[(index - start) % 4] as number) : 0x5a);
        }
      },
    ),
  );
});

test('native masking and ours are the same, in place and not, at every alignment', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat(9),
      fc.nat(9),
      fc.nat(2000),
      fc.boolean(),
      (key, from, to, length, isInPlace) => {
        const source = Buffer.alloc(from + length + 3, 0x77);
        const expected = Buffer.alloc(to + length + 3, 0xee);
        const actual = isInPlace ? source : Buffer.from(expected);
        const target = isInPlace ? from : to;
        maskInScript(Buffer.from(source), from, expected, to, length, key);
        fastMask(source, from, actual, target, length, key);
        assert.deepEqual(actual.subarray(target, target + length), expected.subarray(to, to + length));
        assert.deepEqual(actual.subarray(target + length), Buffer.alloc(3, isInPlace ? 0x77 : 0xee));
      },
    ),
  );
});

test('octets are masked from one place of a buffer to another', () => {
  for (const mask of [maskInScript, fastMask]) {
    for (const length of [5, 16, 90]) {
      const bytes = Buffer.concat([Buffer.alloc(100, 0x5a), Buffer.alloc(100, 0xee)]);
      mask(bytes, 0, bytes, 100, length, Uint8Array.of(0xff, 0, 0xff, 0));
      assert.deepEqual(bytes.subarray(0, 100), Buffer.alloc(100, 0x5a));
      const masked = Buffer.from(Array.from({ length }, (_, at) => (at % 2 === 0 ? 0xa5 : 0x5a)));
      assert.deepEqual(bytes.subarray(100, 100 + length), masked);
      assert.deepEqual(bytes.subarray(100 + length), Buffer.alloc(100 - length, 0xee));
    }
  }
});
