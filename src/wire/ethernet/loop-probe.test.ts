import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeLoopProbe, INSTANCE_BYTES, NONCE_BYTES, parseLoopProbe } from './loop-probe.ts';
import type { MacAddress } from './mac-address.ts';
import type { Vid } from './vid.ts';

const PROBE = {
  source: 0x02_0000_0000_01 as MacAddress,
  instance: Buffer.from('a1a2a3a4a5a6a7a8', 'hex'),
  port: 0x1122_3344,
  sequence: 0x5566_7788,
  nonce: Buffer.from('b0b1b2b3b4b5b6b7b8b9babbbcbdbebf', 'hex'),
  vid: 0x0abc as Vid,
};
const HEADER = '034557530001020000000001';
const BODY = '88b545570101a1a2a3a4a5a6a7a81122334455667788b0b1b2b3b4b5b6b7b8b9babbbcbdbebf0abc';
/** The length up to the VID, without padding. */
const LEAST = 52;

test('a probe has the octets of its table, and 60 of them', () => {
  assert.equal(Buffer.from(encodeLoopProbe(PROBE)).toString('hex'), `${HEADER}${BODY}`.padEnd(120, '0'));
});

test('a probe is read with up to two tags, anywhere in a slab, and is copied from there', () => {
  const bounds = { min: 0, max: 0xffff_ffff };
  const probe = fc.record({
    source: fc.constant(PROBE.source),
    instance: fc.uint8Array({ minLength: INSTANCE_BYTES, maxLength: INSTANCE_BYTES }),
    port: fc.integer(bounds),
    sequence: fc.integer(bounds),
    nonce: fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }),
    vid: fc.integer({ min: 0, max: 4094 }).map((vid) => vid as Vid),
  });
  fc.assert(
    fc.property(probe, fc.constantFrom('', '81000005', '88a80007810000ff'), fc.nat(40), (sent, tags, start) => {
      const plain = Buffer.from(encodeLoopProbe(sent));
      const frame = Buffer.concat([plain.subarray(0, 12), Buffer.from(tags, 'hex'), plain.subarray(12)]);
      const slab = Buffer.concat([Buffer.alloc(start, 0x81), frame, Buffer.alloc(9, 0x88)]);
      const { instance, port, nonce, vid } = sent;
      const received = parseLoopProbe(slab, start, frame.length);
      slab.fill(0xee);
      assert.deepEqual(received, { instance, port, nonce, vid });
    }),
  );
});

test('a probe is read from its last octet on, and not before, with tags or without', () => {
  for (const tags of ['', '81000005', '88a8000781000005']) {
    const frame = Buffer.from(`${HEADER}${tags}${BODY}`, 'hex');
    assert.equal(frame.length, LEAST + tags.length / 2);
    assert.equal(parseLoopProbe(frame, 0, frame.length)?.port, PROBE.port);
    // The octets behind the end are there, and do not belong to the frame.
    for (let length = 14; length < frame.length; length++) {
      assert.equal(parseLoopProbe(frame, 0, length), undefined, `${length} octets with the tags "${tags}"`);
    }
  }
});

test('a frame of another EtherType, protocol, version or kind, and one with three tags, is no probe', () => {
  const probe = encodeLoopProbe(PROBE);
  for (let at = 12; at < 18; at++) {
    const other = Buffer.from(probe);
    other[at] = (other[at] as number) + 1;
    assert.equal(parseLoopProbe(other, 0, other.length), undefined, `octet ${at}`);
  }
  const deep = Buffer.from(`${HEADER}${'81000005'.repeat(3)}${BODY}`, 'hex');
  assert.equal(parseLoopProbe(deep, 0, deep.length), undefined);
});
