import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchWithHeaders, type FrameFields, superFrameOf } from '../../../test/support/frames.ts';
import { builtEngine } from '../../../test/support/offload-addon.ts';
import { FrameBatch } from '../ethernet/frame-batch.ts';
import { type OffloadEngine, portableEngine } from './engine.ts';
import { framesIn } from './gso.ts';
import {
  neededOffloads,
  OFFLOAD_CHECKSUM,
  OFFLOAD_ENCAPSULATED,
  OFFLOAD_NONE,
  OFFLOAD_TSO_ECN,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_UNKNOWN,
  OFFLOAD_USO,
  type OffloadFault,
} from './virtio-header.ts';

const engines: OffloadEngine[] = [portableEngine];
const native = builtEngine();
if (native !== undefined) engines.push(native);

// Offsets into [offload header][frame without tags].
const FLAGS = 0;
const GSO_TYPE = 1;
const GSO_SIZE = 4;
const CSUM_START = 6;
const CSUM_OFFSET = 8;
const ETHER_TYPE = 10 + 12;
const IP = 10 + 14;
const TCP_V4 = IP + 20;

const payload = Buffer.alloc(5000, 1);
const ipv4: FrameFields = { payload };
const ipv6: FrameFields = { payload, ipv6: true };
const udp: FrameFields = { payload, protocol: 'udp' };
const extended = (type: number, bytes: Buffer): FrameFields => ({ payload, ipv6: true, extension: { type, bytes } });

function extension(octets: number, segmentsLeft = 0): Buffer {
  const bytes = Buffer.alloc(octets);
  bytes[1] = octets / 8 - 1;
  bytes[3] = segmentsLeft;
  return bytes;
}

/** The verdict of all engines, which must agree, on a frame that `lie` has changed. */
function verdict(fields: FrameFields, lie: (record: Buffer) => void, gsoSize = 1000, cut?: number): string {
  const verdicts = engines.map((engine) => {
    const batch = batchWithHeaders([superFrameOf(fields, gsoSize)]);
    const start = batch.starts[0] as number;
    if (cut !== undefined) batch.lengths[0] = cut;
    lie(batch.bytes.subarray(start - 10));
    return engine.check(batch, 0) ?? 'well';
  });
  assert.equal(new Set(verdicts).size, 1, `${verdicts}`);
  return verdicts[0] as string;
}

const put = (at: number, octet: number) => (record: Buffer) => void record.writeUInt8(octet, at);
const put16 = (at: number, value: number) => (record: Buffer) => void record.writeUInt16BE(value, at);
const putLittle = (at: number, value: number) => (record: Buffer) => void record.writeUInt16LE(value, at);
const nothing = (): void => {};

const superFrames: readonly [string, OffloadFault | 'well', FrameFields, (record: Buffer) => void][] = [
  ['the truth over IPv4', 'well', ipv4, nothing],
  ['the truth over IPv6', 'well', ipv6, nothing],
  ['the truth in two VLANs', 'well', { payload, tags: [1, 2] }, nothing],
  ['the truth about datagrams', 'well', udp, nothing],
  ['the truth behind an extension header', 'well', extended(0, extension(8)), nothing],
  ['an unknown flag', 'flags', ipv4, put(FLAGS, 9)],
  ['UFO, which is no more', 'gsoType', ipv4, put(GSO_TYPE, 3)],
  ['ECN of nothing', 'gsoType', ipv4, put(GSO_TYPE, 0x80)],
  ['ECN of UDP', 'gsoType', udp, put(GSO_TYPE, 0x85)],
  ['segmentation without a checksum', 'checksumMissing', ipv4, put(FLAGS, 0)],
  ['the checksum starts beside TCP', 'checksumPlace', ipv4, putLittle(CSUM_START, 36)],
  ['the checksum is where UDP has it', 'checksumPlace', ipv4, putLittle(CSUM_OFFSET, 6)],
  ['segments of nothing', 'gsoSize', ipv4, putLittle(GSO_SIZE, 0)],
  ['more segments than a super-frame has', 'gsoSize', ipv4, putLittle(GSO_SIZE, 2)],
  ['more datagrams than Linux takes', 'gsoSize', udp, putLittle(GSO_SIZE, 39)],
  ['IPv4 longer than the frame', 'ipLength', ipv4, put16(IP + 2, 5041)],
  ['IPv4 shorter than the frame', 'ipLength', ipv4, put16(IP + 2, 5039)],
  ['IPv6 longer than the frame', 'ipLength', ipv6, put16(IP + 4, 5021)],
  ['IPv6 of length 0, a jumbogram', 'truncated', ipv6, put16(IP + 4, 0)],
  ['a UDP length of its own', 'ipLength', udp, put16(TCP_V4 + 4, 5000)],
  ['IPv4 called IPv6', 'protocol', ipv4, put(GSO_TYPE, 4)],
  ['IPv6 called IPv4', 'protocol', ipv6, put(GSO_TYPE, 1)],
  ['TCP called UDP', 'protocol', ipv4, put(GSO_TYPE, 5)],
  ['UDP called TCP', 'protocol', udp, put(GSO_TYPE, 1)],
  ['ICMP called TCP', 'protocol', ipv4, put(IP + 9, 1)],
  ['ARP called TCP', 'protocol', ipv4, put16(ETHER_TYPE, 0x0806)],
  ['three VLANs', 'protocol', { payload, tags: [1, 2, 3] }, nothing],
  ['more fragments', 'fragment', ipv4, put16(IP + 6, 0x2000)],
  ['a fragment offset', 'fragment', ipv4, put16(IP + 6, 1)],
  ['an IPv6 fragment', 'fragment', extended(44, extension(8)), nothing],
  ['a route that is not at its end', 'extensionHeader', extended(43, extension(24, 1)), nothing],
  ['a route at its end', 'well', extended(43, extension(24)), nothing],
  ['headers that would multiply', 'extensionHeader', extended(60, extension(200)), nothing],
  [
    'an extension header behind the end',
    'truncated',
    { ...extended(0, extension(8)), payload: payload.subarray(0, 99) },
    put(IP + 41, 255),
  ],
  ['the checksum starts at the payload of UDP', 'encapsulation', udp, putLittle(CSUM_START, 42)],
  ['IP version 5', 'truncated', ipv4, put(IP, 0x55)],
  ['an IPv4 header of 16 octets', 'truncated', ipv4, put(IP, 0x44)],
  ['a TCP header of 16 octets', 'truncated', ipv4, put(TCP_V4 + 12, 0x40)],
];

for (const [name, expected, fields, lie] of superFrames) {
  test(`of a super-frame: ${name}`, () => assert.equal(verdict(fields, lie), expected));
}

test('a super-frame that ends inside its headers is refused, wherever it ends', () => {
  for (let cut = 0; cut < 54; cut++) assert.notEqual(verdict(ipv4, nothing, 1000, cut), 'well');
  for (let cut = 0; cut < 74; cut++) assert.notEqual(verdict(ipv6, nothing, 1000, cut), 'well');
});

test('a checksum that is only to be completed stays inside the frame, behind its addresses', () => {
  const length = 5054;
  const places: readonly [number, number, string][] = [
    [34, 16, 'well'],
    [14, 0, 'well'],
    [13, 0, 'checksumPlace'],
    [34, length - 34 - 2, 'well'],
    [34, length - 34 - 1, 'checksumPlace'],
    [0xffff, 0xffff, 'checksumPlace'],
  ];
  for (const [start, offset, expected] of places) {
    const lie = (record: Buffer) => {
      record.writeUInt16LE(start, CSUM_START);
      record.writeUInt16LE(offset, CSUM_OFFSET);
    };
    assert.equal(verdict(ipv4, lie, 0), expected, `${start} + ${offset}`);
  }
});

test('hdr_len, which cannot be checked, is made true', () => {
  for (const engine of engines) {
    for (const [gsoSize, headerBytes] of [
      [1000, 54],
      [0, 0],
    ] as const) {
      const batch = batchWithHeaders([superFrameOf(ipv4, gsoSize)]);
      batch.offloadHeader(0).writeUInt16LE(0xffff, 2);
      assert.equal(engine.check(batch, 0), undefined);
      assert.equal(batch.offloadHeader(0).readUInt16LE(2), headerBytes);
    }
  }
});

test('needed offloads are read off the header, and an unknown one is none that a port takes', () => {
  const cases: readonly [number, number, number][] = [
    [0, 0, OFFLOAD_NONE],
    [2, 0, OFFLOAD_NONE],
    [1, 0, OFFLOAD_CHECKSUM],
    [1, 1, OFFLOAD_CHECKSUM | OFFLOAD_TSO4],
    [1, 4, OFFLOAD_CHECKSUM | OFFLOAD_TSO6],
    [1, 0x81, OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO_ECN],
    [1, 0x84, OFFLOAD_CHECKSUM | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN],
    [1, 5, OFFLOAD_CHECKSUM | OFFLOAD_USO],
    [1, 3, OFFLOAD_CHECKSUM | OFFLOAD_UNKNOWN],
    [0, 0x80, OFFLOAD_UNKNOWN],
    [4, 0, OFFLOAD_UNKNOWN],
    [0x81, 0, OFFLOAD_CHECKSUM | OFFLOAD_ENCAPSULATED],
    [0x81, 1, OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_ENCAPSULATED],
  ];
  for (const [flags, gsoType, needed] of cases) assert.equal(neededOffloads(Uint8Array.of(flags, gsoType), 0), needed);
});

test('the most segments, and one more', () => {
  for (const [fields, gsoSize, most] of [
    [ipv4, 2, 2048],
    [ipv6, 2, 2048],
    [udp, 9, 128],
  ] as const) {
    const of = (octets: number) => verdict({ ...fields, payload: Buffer.alloc(octets) }, nothing, gsoSize);
    assert.equal(of(gsoSize * most), 'well');
    assert.equal(of(gsoSize * most + 1), 'gsoSize');
  }
});

test('a checksum behind the outermost IP header is that of no encapsulation, and any other is', () => {
  const needs = (fields: FrameFields, lie: (record: Buffer) => void): number => {
    const needed = engines.map((engine) => {
      const batch = batchWithHeaders([superFrameOf(fields, 0)]);
      const start = batch.starts[0] as number;
      lie(batch.bytes.subarray(start - 10));
      assert.equal(engine.check(batch, 0), undefined);
      return neededOffloads(batch.bytes, start - 10);
    });
    assert.equal(new Set(needed).size, 1);
    return needed[0] as number;
  };
  const encapsulated = OFFLOAD_CHECKSUM | OFFLOAD_ENCAPSULATED;
  for (const fields of [ipv4, ipv6, udp, { payload, tags: [1, 2] }, extended(0, extension(8))]) {
    assert.equal(needs(fields, nothing), OFFLOAD_CHECKSUM);
    assert.equal(needs(fields, putLittle(CSUM_START, 100)), encapsulated);
  }
  assert.equal(needs(ipv4, put16(ETHER_TYPE, 0x0806)), encapsulated, 'there is no IP header');
  assert.equal(needs(ipv4, put16(IP + 2, 6000)), encapsulated, 'the IP header is wrong');
});

test('without offload headers nothing is checked, whatever stands in front of a frame', () => {
  for (const engine of engines) {
    const batch = batchWithHeaders([superFrameOf(ipv4, 0)]);
    // An unknown gso_type, with 50 segments.
    Buffer.from('ff033600640000000000', 'hex').copy(batch.offloadHeader(0));
    batch.hasOffloadHeaders = false;
    const before = Buffer.from(batch.bytes);
    assert.equal(engine.check(batch, 0), undefined);
    assert.deepEqual(batch.bytes, before);
    assert.equal(framesIn(batch, 0), 1);
    const out = new FrameBatch(Buffer.alloc(6000));
    assert.equal(engine.finish(batch, 0, out), undefined);
    assert.deepEqual(out.frame(0), batch.frame(0), 'it is copied');
  }
});
