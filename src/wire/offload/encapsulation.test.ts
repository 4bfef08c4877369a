import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ENCAPSULATIONS,
  encapsulatedFrameOf,
  encapsulatedSuperFrameOf,
  type OuterFields,
} from '../../../test/support/encapsulated-frames.ts';
import { batchWithHeaders, type FrameFields, framesOf } from '../../../test/support/frames.ts';
import { builtEngine } from '../../../test/support/offload-addon.ts';
import { FrameBatch } from '../ethernet/frame-batch.ts';
import { type OffloadEngine, portableEngine } from './engine.ts';
import { MAX_FINISHED_BYTES } from './gso.ts';
import { FLAG_ENCAPSULATED, neededOffloads, OFFLOAD_ENCAPSULATED, type OffloadHeader } from './virtio-header.ts';

const FIN = 0x01;
const PSH = 0x08;
const ACK = 0x10;
const CWR = 0x80;

const engines: OffloadEngine[] = [portableEngine];
const native = builtEngine();
if (native !== undefined) engines.push(native);

/** The finished frames of all engines, which must agree. */
function finished(frame: { frame: Buffer; header: OffloadHeader }): Buffer[] {
  const results = engines.map((engine) => {
    const batch = batchWithHeaders([frame]);
    assert.equal(engine.check(batch, 0), undefined);
    const needed = neededOffloads(batch.bytes, (batch.starts[0] as number) - 10);
    assert.equal(needed & OFFLOAD_ENCAPSULATED, OFFLOAD_ENCAPSULATED, 'it is known to be encapsulated');
    const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES, 0xee));
    assert.equal(engine.finish(batch, 0, out), undefined);
    return framesOf(out);
  });
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0] as Buffer[];
}

function faultOf(frame: { frame: Buffer; header: OffloadHeader }): string {
  const faults = engines.map((engine) => engine.check(batchWithHeaders([frame]), 0) ?? 'well');
  assert.equal(new Set(faults).size, 1, `${faults}`);
  return faults[0] as string;
}

const anyInner: fc.Arbitrary<FrameFields> = fc.record({
  ipv6: fc.boolean(),
  tos: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  flags: fc.constantFrom(ACK, ACK | PSH, ACK | FIN, ACK | FIN | PSH | CWR),
  options: fc.integer({ min: 0, max: 10 }).map((words) => new Uint8Array(words * 4).fill(1)),
  payload: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
});

/** The same encapsulations around segment `ordinal`. */
function outersOf(outers: readonly OuterFields[], ordinal: number): OuterFields[] {
  return outers.map((outer) => ({ ...outer, id: ((outer.id ?? 1) + ordinal) & 0xffff }));
}

for (const [name, outers] of ENCAPSULATIONS) {
  test(`TCP in ${name} becomes the segments that its sender would have sent`, () => {
    fc.assert(
      fc.property(anyInner, fc.integer({ min: 8, max: 1500 }), (fields, gsoSize) => {
        const count = Math.ceil(fields.payload.length / gsoSize);
        const flags = fields.flags as number;
        const expected = Array.from({ length: count }, (_, ordinal) => {
          const inner = {
            ...fields,
            id: ((fields.id as number) + ordinal) & 0xffff,
            sequence: ((fields.sequence as number) + ordinal * gsoSize) >>> 0,
            flags: flags & ~(ordinal > 0 ? CWR : 0) & ~(ordinal === count - 1 ? 0 : FIN | PSH),
            payload: fields.payload.subarray(ordinal * gsoSize, (ordinal + 1) * gsoSize),
          };
          return encapsulatedFrameOf(outersOf(outers, ordinal), inner).bytes;
        });
        assert.deepEqual(finished(encapsulatedSuperFrameOf(outers, fields, gsoSize)), expected);
      }),
      { numRuns: 50 },
    );
  });

  test(`UDP in ${name} becomes datagrams`, () => {
    fc.assert(
      fc.property(anyInner, fc.integer({ min: 32, max: 1500 }), ({ ipv6, id, payload }, gsoSize) => {
        const fields = { ipv6: ipv6 as boolean, id: id as number, payload, protocol: 'udp' as const };
        const expected = Array.from({ length: Math.ceil(payload.length / gsoSize) }, (_, ordinal) => {
          const piece = payload.subarray(ordinal * gsoSize, (ordinal + 1) * gsoSize);
          const inner = { ...fields, id: (fields.id + ordinal) & 0xffff, payload: piece };
          return encapsulatedFrameOf(outersOf(outers, ordinal), inner).bytes;
        });
        assert.deepEqual(finished(encapsulatedSuperFrameOf(outers, fields, gsoSize)), expected);
      }),
      { numRuns: 25 },
    );
  });

  test(`a checksum begun in ${name} is completed, and what is around it stays`, () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      for (const ipv6 of [false, true]) {
        const fields = { protocol, ipv6, payload: Buffer.from('an odd number of octets') };
        const frame = encapsulatedSuperFrameOf(outers, fields, 0);
        assert.deepEqual(finished(frame), [encapsulatedFrameOf(outers, fields).bytes]);
      }
    }
  });
}

const inner: FrameFields = { payload: Buffer.alloc(2500, 5) };
const spoiled = (outer: OuterFields, lie: (frame: Buffer) => void) => {
  const frame = encapsulatedSuperFrameOf([outer], inner, 1000);
  lie(frame.frame);
  return faultOf(frame);
};
const put = (at: number, octet: number) => (frame: Buffer) => void frame.writeUInt8(octet, at);
const put16 = (at: number, value: number) => (frame: Buffer) => void frame.writeUInt16BE(value, at);

/** Offsets in frames without tags: outer IPv4 header at 14, its payload at 34, the payload of UDP at 42. */
const lies: readonly [string, string, OuterFields, (frame: Buffer) => void][] = [
  ['the outer IP length', 'ipLength', { kind: 'vxlan' }, put16(16, 500)],
  ['the outer UDP length', 'ipLength', { kind: 'vxlan' }, put16(38, 500)],
  ['the outer packet is a fragment', 'fragment', { kind: 'vxlan' }, put16(20, 0x2000)],
  ['VXLAN without a valid VNI', 'encapsulation', { kind: 'vxlan' }, put(42, 0)],
  ['VXLAN whose receiver completes checksums', 'encapsulation', { kind: 'vxlan' }, put(43, 0x20)],
  ['VXLAN-GPE of an unknown protocol', 'encapsulation', { kind: 'vxlan-gpe' }, put(45, 9)],
  ['Geneve of a later version', 'encapsulation', { kind: 'geneve' }, put(42, 0xc0)],
  ['Geneve options that lead into the payload', 'truncated', { kind: 'geneve-ip' }, put(42, 0x3f)],
  ['GRE with sequence numbers', 'encapsulation', { kind: 'gre' }, put(34, 0x10)],
  ['GRE of version 1', 'encapsulation', { kind: 'gre' }, put(35, 1)],
  ['GRE of an unknown protocol', 'encapsulation', { kind: 'gre' }, put16(36, 0x8847)],
  ['the outer IP length, in front of IP', 'ipLength', { kind: 'ip' }, put16(16, 2550)],
  ['the inner EtherType', 'protocol', { kind: 'vxlan' }, put16(62, 0x0806)],
  ['the inner IP length', 'ipLength', { kind: 'vxlan' }, put16(66, 3000)],
  ['the inner protocol', 'protocol', { kind: 'vxlan' }, put(73, 1)],
];

for (const [name, expected, outer, lie] of lies) {
  test(`refused: a lie about ${name}`, () => {
    assert.equal(spoiled(outer, lie), expected);
  });
}

test('refused: a checksum that is not the inner one, and too many encapsulations', () => {
  const frame = encapsulatedSuperFrameOf([{ kind: 'vxlan' }], inner, 1000);
  assert.equal(faultOf({ ...frame, header: { ...frame.header, checksumStart: 86 } }), 'checksumPlace');
  assert.equal(faultOf({ ...frame, header: { ...frame.header, gsoType: 4 } }), 'protocol');
  const deep = Array.from({ length: 4 }, () => ({ kind: 'ip' as const }));
  assert.equal(faultOf(encapsulatedSuperFrameOf(deep, inner, 1000)), 'encapsulation');
});

test('refused: a super-frame that ends anywhere inside its headers', () => {
  for (const [name, outers] of ENCAPSULATIONS) {
    const { frame, header } = encapsulatedSuperFrameOf(outers, inner, 1000);
    for (let end = 0; end < header.headerBytes; end++) {
      assert.notEqual(faultOf({ frame: frame.subarray(0, end), header }), 'well', `${name}, ${end} octets`);
    }
  }
});

test('the mark of an encapsulation is made true, whatever it was', () => {
  const plain = batchWithHeaders([encapsulatedSuperFrameOf([], inner, 1000)]);
  for (const engine of engines) {
    plain.bytes[4] = 1 | FLAG_ENCAPSULATED;
    assert.equal(engine.check(plain, 0), undefined);
    assert.equal(plain.bytes[4], 1);
    plain.bytes[4] = FLAG_ENCAPSULATED;
    assert.equal(engine.check(plain, 0), 'flags');
  }
});

test('an encapsulation that ends inside of its own header, or right behind it', () => {
  const TRUNCATED = 'truncated';
  const UNKNOWN = 'encapsulation';
  const header = { flags: 1, gsoType: 1, headerBytes: 200, gsoSize: 10, checksumStart: 200, checksumOffset: 16 };
  /** An IPv4 packet with these octets after its header; the length field of UDP is corrected. */
  const fault = (protocol: number, hex: string): string => {
    const content = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    if (protocol === 17) content.writeUInt16BE(content.length, 4);
    const ip = Buffer.from('450000000000000040000000c0000201c0000202', 'hex');
    ip.writeUInt16BE(20 + content.length, 2);
    ip[9] = protocol;
    const frame = Buffer.concat([Buffer.from('02000000000b02000000000a0800', 'hex'), ip, content]);
    return faultOf({ frame, header });
  };
  const GRE = 47;
  assert.equal(fault(GRE, '0000 88'), TRUNCATED, 'GRE, inside of its first four octets');
  assert.equal(fault(GRE, '1000 88'), TRUNCATED, 'also with flags that are refused');
  assert.equal(fault(GRE, '0000 8847'), UNKNOWN, 'GRE of MPLS, all there');
  assert.equal(fault(GRE, '2000 8847 0000'), TRUNCATED, 'GRE inside of its key');
  assert.equal(fault(GRE, '8000 8847 0000'), TRUNCATED, 'GRE inside of its checksum');
  assert.equal(fault(GRE, '2000 8847 0000 0001'), UNKNOWN, 'GRE of MPLS with its key');
  assert.equal(fault(GRE, '0000 0800'), TRUNCATED, 'GRE of IPv4, without any');
  const UDP = 17;
  assert.equal(fault(UDP, '0000 0000 0000 0000 0101 0101 0101 01'), TRUNCATED, 'seven octets in UDP');
  assert.equal(
    fault(UDP, '0000 0000 0000 0000 0101 0101 0101 0101'),
    UNKNOWN,
    'eight octets in UDP, which are nothing',
  );
  assert.equal(fault(UDP, '0000 0000 0000 0000 0800 0000 0000 0000'), TRUNCATED, 'VXLAN, without a frame');
});

test('headers may have 256 octets, and no more', () => {
  const of = (options: number) =>
    encapsulatedSuperFrameOf(
      [{ kind: 'vxlan' }],
      { ...inner, ipv6: true, extension: { type: 60, bytes: longOptions }, options: new Uint8Array(options).fill(1) },
      1000,
    );
  const longOptions = Buffer.alloc(128);
  longOptions[1] = 128 / 8 - 1;
  assert.equal(of(4).header.headerBytes, 256);
  assert.equal(faultOf(of(4)), 'well');
  assert.equal(faultOf(of(8)), 'extensionHeader');
});
