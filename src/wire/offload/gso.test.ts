import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encapsulatedSuperFrameOf } from '../../../test/support/encapsulated-frames.ts';
import {
  batchWithHeaders,
  checksumsAreRight,
  type FrameFields,
  frameOf,
  framesOf,
  superFrameOf,
} from '../../../test/support/frames.ts';
import { FrameBatch } from '../ethernet/frame-batch.ts';
import { finishFrame, MAX_FINISHED_BYTES } from './gso.ts';
import { RECORD_LEAD_BYTES } from './records.ts';

const FIN = 0x01;
const PSH = 0x08;
const ACK = 0x10;
const CWR = 0x80;

function finished(fields: FrameFields, gsoSize: number): Buffer[] {
  const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES, 0xee));
  assert.equal(finishFrame(batchWithHeaders([superFrameOf(fields, gsoSize)]), 0, out), undefined);
  return framesOf(out);
}

const anyFields: fc.Arbitrary<FrameFields> = fc.record({
  ipv6: fc.boolean(),
  tags: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 2 }),
  tos: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  flags: fc.constantFrom(ACK, ACK | PSH, ACK | FIN, ACK | PSH | CWR, ACK | FIN | PSH | CWR),
  options: fc.integer({ min: 0, max: 10 }).map((words) => new Uint8Array(words * 4).fill(1)),
  payload: fc.uint8Array({ minLength: 1, maxLength: 4000 }),
});

test('a super-frame becomes the segments that its sender would have sent', () => {
  fc.assert(
    fc.property(anyFields, fc.integer({ min: 8, max: 1500 }), (fields, gsoSize) => {
      const segments = finished(fields, gsoSize);
      const count = Math.ceil(fields.payload.length / gsoSize);
      const flags = fields.flags as number;
      const expected = Array.from({ length: count }, (_, ordinal) => {
        const isLast = ordinal === count - 1;
        return frameOf({
          ...fields,
          id: ((fields.id as number) + ordinal) & 0xffff,
          sequence: ((fields.sequence as number) + ordinal * gsoSize) >>> 0,
          flags: flags & ~(ordinal > 0 ? CWR : 0) & ~(isLast ? 0 : FIN | PSH),
          payload: fields.payload.subarray(ordinal * gsoSize, (ordinal + 1) * gsoSize),
        }).bytes;
      });
      assert.deepEqual(segments, expected);
      assert.ok(segments.every(checksumsAreRight));
    }),
  );
});

test('a UDP super-frame becomes datagrams, none of them without a checksum', () => {
  fc.assert(
    fc.property(anyFields, fc.integer({ min: 32, max: 1500 }), (fields, gsoSize) => {
      const { options: _options, ...rest } = fields;
      const datagrams = finished({ ...rest, protocol: 'udp' }, gsoSize);
      const expected = Array.from({ length: Math.ceil(fields.payload.length / gsoSize) }, (_, ordinal) => {
        const payload = fields.payload.subarray(ordinal * gsoSize, (ordinal + 1) * gsoSize);
        return frameOf({ ...rest, protocol: 'udp', id: ((fields.id as number) + ordinal) & 0xffff, payload }).bytes;
      });
      assert.deepEqual(datagrams, expected);
    }),
  );
});

test('a begun checksum is completed, and a finished frame is copied', () => {
  fc.assert(
    fc.property(anyFields, fc.constantFrom('tcp' as const, 'udp' as const), (fields, protocol) => {
      const { options: _options, ...rest } = fields;
      const frame = frameOf({ ...rest, protocol }).bytes;
      const [completed] = finished({ ...rest, protocol }, 0);
      assert.ok(completed !== undefined && checksumsAreRight(completed));
      const out = new FrameBatch(Buffer.alloc(8000));
      assert.equal(finishFrame(batchWithHeaders([{ frame }]), 0, out), undefined);
      assert.deepEqual(framesOf(out), [frame]);
    }),
  );
});

test('IPv6 extension headers are repeated in each segment', () => {
  const extension = {
    type: 0,
    bytes: Buffer.from('00 01 05 02 00 00 01 00 01 08 00 00 00 00 00 00'.replaceAll(' ', ''), 'hex'),
  };
  const fields = { ipv6: true, extension, payload: new Uint8Array(3000).fill(7) };
  const segments = finished(fields, 1400);
  assert.deepEqual(
    segments.map((segment) => segment.length),
    [1490, 1490, 290],
  );
  assert.ok(segments.every(checksumsAreRight));
});

test('records lie one behind the other, each led by a zero offload header', () => {
  const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES, 0xee));
  const batch = batchWithHeaders([superFrameOf({ payload: new Uint8Array(2500) }, 1000), { frame: Buffer.alloc(60) }]);
  assert.equal(finishFrame(batch, 0, out), undefined);
  assert.equal(finishFrame(batch, 1, out), undefined);
  assert.ok(out.hasOffloadHeaders);
  assert.deepEqual(Array.from(out.lengths.subarray(0, out.count)), [1054, 1054, 554, 60]);
  let end = 0;
  for (let index = 0; index < out.count; index++) {
    assert.equal(out.starts[index], end + RECORD_LEAD_BYTES);
    assert.deepEqual(out.offloadHeader(index), Buffer.alloc(10));
    end += RECORD_LEAD_BYTES + (out.lengths[index] as number);
  }
});

test('a slab without room for all of them gets none of them', () => {
  const batch = batchWithHeaders([superFrameOf({ payload: new Uint8Array(2500) }, 1000)]);
  const needed = 3 * (RECORD_LEAD_BYTES + 54) + 2500;
  const tight = new FrameBatch(Buffer.alloc(needed));
  assert.equal(finishFrame(batch, 0, tight), undefined);
  assert.equal(finishFrame(batch, 0, tight), 'queueFull');
  assert.equal(tight.count, 3);
  assert.equal(finishFrame(batch, 0, new FrameBatch(Buffer.alloc(needed - 1))), 'queueFull');
});

test('a sequence number carries into its high half, and begins anew behind the last one', () => {
  for (const sequence of [0x1234_fc00, 0xffff_fc00]) {
    const segments = finished({ payload: new Uint8Array(2500), sequence }, 1000);
    assert.deepEqual(
      segments.map((segment) => segment.readUInt32BE(38)),
      [sequence, (sequence + 1000) >>> 0, (sequence + 2000) >>> 0],
    );
  }
});

test('a checksum of 0 stays so in TCP, and is written as 0xffff in UDP, where 0 means none', () => {
  for (const [protocol, at, written] of [
    ['tcp', 34 + 16, 0],
    ['udp', 34 + 6, 0xffff],
  ] as const) {
    const zeros = frameOf({ protocol, payload: new Uint8Array(2) }).bytes;
    // With the checksum of zeros as the payload the sum is all ones.
    const payload = Buffer.from(zeros.subarray(at, at + 2));
    for (const gsoSize of [10, 0]) {
      const [segment] = finished({ protocol, payload }, gsoSize);
      const expected = gsoSize === 0 ? 0xffff : written;
      assert.equal(segment?.readUInt16BE(at), expected, `${protocol}, gso_size ${gsoSize}`);
    }
  }
});

test('a slab without room for a plain frame gets none', () => {
  const batch = batchWithHeaders([{ frame: Buffer.alloc(100, 1) }]);
  const tight = new FrameBatch(Buffer.alloc(RECORD_LEAD_BYTES + 99));
  assert.equal(finishFrame(batch, 0, tight), 'queueFull');
  assert.equal(tight.count, 0);
  assert.equal(finishFrame(batch, 0, new FrameBatch(Buffer.alloc(RECORD_LEAD_BYTES + 100))), undefined);
});

test('a slab has room for the most segments with the longest headers', () => {
  const bytes = Buffer.alloc(128);
  bytes[1] = 128 / 8 - 1;
  const fields = { ipv6: true, extension: { type: 60, bytes }, options: new Uint8Array(4).fill(1) };
  const payload = new Uint8Array(2048 * 31);
  const longest = encapsulatedSuperFrameOf([{ kind: 'vxlan' }], { ...fields, payload }, 31);
  const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES));
  assert.equal(finishFrame(batchWithHeaders([longest]), 0, out), undefined);
  assert.equal(out.count, 2048);
});
