import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchWithHeaders, superFrameOf } from '../../../test/support/frames.ts';
import { honestTemplates, lie } from '../../../test/support/hostile-frames.ts';
import { Random } from '../../../test/support/random.ts';
import type { FrameBatch } from './frame-batch.ts';
import { describeFrame, exampleOf } from './frame-summary.ts';

const ADDRESSES = '02000000000202000000000a';
const NAMES = '02:00:00:00:00:0a > 02:00:00:00:00:02';

function plain(hex: string): string {
  const bytes = Buffer.from((ADDRESSES + hex).replaceAll(' ', ''), 'hex');
  return describeFrame({ bytes, start: 0, captured: bytes.length, length: bytes.length, hasOffloadHeader: false });
}

function ofBatch(batch: FrameBatch): string {
  const [start, length] = [batch.starts[0] as number, batch.lengths[0] as number];
  return describeFrame({ bytes: batch.bytes, start, captured: length, length, hasOffloadHeader: true });
}

const V4 = '45000030 00010000 4011 0000 c0000201 c6336402';
const V6 = `60000000 0010 06ff ${'20010db8'.padEnd(31, '0')}1 ${'fe80'.padEnd(31, '0')}2`;

test('a line says addresses, tags, type, IP addresses, ports and length', () => {
  for (const [hex, line] of [
    ['88b5 0000', 'type 0x88b5, 16 octets'],
    ['0806 0001', 'ARP, 16 octets'],
    ['0026 4242', '802.3, 16 octets'],
    ['8100 0007 0806', 'VLAN 7, ARP, 18 octets'],
    ['88a8 6005 8100 0007 0806', 'S-VLAN 5 priority 3, VLAN 7, ARP, 22 octets'],
    [`0800 ${V4} 0fa0 12b5 0000 0000`, 'IPv4 192.0.2.1:4000 > 198.51.100.2:4789 UDP, 42 octets'],
    [
      `0800 ${V4.replace('00010000', '00012000')} 0fa0 12b5`,
      'IPv4 192.0.2.1:4000 > 198.51.100.2:4789 UDP fragment, 38 octets',
    ],
    [`0800 ${V4.replace('00010000', '00010005')} 0fa0 12b5`, 'IPv4 192.0.2.1 > 198.51.100.2 UDP fragment, 38 octets'],
    [`0800 ${V4.replace('4011', '402f')} 0000 0800`, 'IPv4 192.0.2.1 > 198.51.100.2 GRE, 38 octets'],
    [`0800 ${V4.replace('4011', '40fd')}`, 'IPv4 192.0.2.1 > 198.51.100.2 protocol 253, 34 octets'],
    [`86dd ${V6} 0050 c000`, 'IPv6 [2001:db8::1]:80 > [fe80::2]:49152 TCP, 58 octets'],
    [`86dd ${V6.replace('06ff', '3aff')} 8600`, 'IPv6 2001:db8::1 > fe80::2 ICMPv6, 56 octets'],
    [`0800 ${V4.replace('4011', '4006')} 0fa0 12b5`, 'IPv4 192.0.2.1:4000 > 198.51.100.2:4789 TCP, 38 octets'],
    [`0800 ${V4.replace('4011', '4084')} 0fa0 12b5`, 'IPv4 192.0.2.1:4000 > 198.51.100.2:4789 SCTP, 38 octets'],
    [`0800 ${V4.replace('4011', '4004')} 4500 0000`, 'IPv4 192.0.2.1 > 198.51.100.2 IPv4, 38 octets'],
    [`0800 ${V4.replace('4011', '4029')} 6000 0000`, 'IPv4 192.0.2.1 > 198.51.100.2 IPv6, 38 octets'],
    [`0800 ${V4.replace('4011', '4032')} 0000 0001`, 'IPv4 192.0.2.1 > 198.51.100.2 ESP, 38 octets'],
    [`0800 ${V4.replace('4011', '4001')} 0800 0000`, 'IPv4 192.0.2.1 > 198.51.100.2 ICMP, 38 octets'],
    [`0800 ${V4.replace('4500', '4600')} 01010101 0fa0 12b5`, 'IPv4 192.0.2.1:4000 > 198.51.100.2:4789 UDP, 42 octets'],
    [`0800 ${V4} 0fa0 12`, 'IPv4 192.0.2.1 > 198.51.100.2 UDP, 37 octets'],
    [`0800 ${V4.slice(0, -2)}`, 'IPv4 (cut), 33 octets'],
    [`86dd ${V6.replace('06ff', '3aff')}`, 'IPv6 2001:db8::1 > fe80::2 ICMPv6, 54 octets'],
    [`86dd ${V6.slice(0, -2)}`, 'IPv6 (cut), 53 octets'],
    ['88cc 0207', 'LLDP, 16 octets'],
    ['8847 0001', 'MPLS, 16 octets'],
    ['88e5 0000', 'MACsec, 16 octets'],
    ['05ff', '802.3, 14 octets'],
    ['0600', 'type 0x0600, 14 octets'],
    [
      '8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 0806',
      'VLAN 1, VLAN 2, VLAN 3, VLAN 4, type 0x8100, 34 octets',
    ],
    ['8100 0007 08', 'type 0x8100, 17 octets'],
    ['0800 4500', 'IPv4 (cut), 16 octets'],
    ['86dd 6000', 'IPv6 (cut), 16 octets'],
    ['8100 0007', 'type 0x8100, 16 octets'],
  ] as const) {
    assert.equal(plain(hex), `${NAMES}, ${line}`);
  }
  const bytes = Buffer.alloc(60);
  assert.equal(
    describeFrame({
      bytes: Buffer.from(`${ADDRESSES}0806`, 'hex'),
      start: 0,
      captured: 900,
      length: 1514,
      hasOffloadHeader: false,
    }),
    `${NAMES}, ARP, 1514 octets`,
    'more was captured than there is',
  );
  const cut = { bytes, start: 50, captured: 13, length: 13, hasOffloadHeader: false };
  assert.equal(describeFrame(cut), 'a cut Ethernet header, 13 octets');
});

test('and what the offload header asks for', () => {
  const fields = { payload: Buffer.alloc(3000), tags: [100] };
  const line = ofBatch(batchWithHeaders([superFrameOf(fields, 1400)]));
  assert.match(
    line,
    /, VLAN 100, IPv4 [\d.]+:\d+ > [\d.]+:\d+ TCP, 3058 octets, needs a checksum at 38\+16, segments of 1400 octets \(TCP over IPv4\) behind 58 octets of headers$/,
  );
  assert.match(ofBatch(batchWithHeaders([superFrameOf({ ...fields, ipv6: true }, 1400)])), /\(TCP over IPv6\)/);
});

test('whatever the octets are: one line of printable ASCII, and no exception', () => {
  const check = (line: string): void => assert.match(line, /^[\x20-\x7e]+$/);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.nat(130),
      fc.nat(130),
      fc.boolean(),
      (bytes, start, captured, hasOffloadHeader) => {
        check(describeFrame({ bytes, start, captured, length: captured, hasOffloadHeader }));
      },
    ),
    { numRuns: 3000 },
  );
  const random = new Random(1);
  for (const template of honestTemplates())
    for (let count = 0; count < 100; count++) check(ofBatch(lie(template, random)));
});

test('each field of the offload header is shown if it says something', () => {
  const { frame } = superFrameOf({ payload: Buffer.alloc(3000) }, 1400);
  const shown = (flags: number, gsoType: number): string => {
    const header = { flags, gsoType, headerBytes: 54, gsoSize: 1400, checksumStart: 34, checksumOffset: 16 };
    return ofBatch(batchWithHeaders([{ frame, header }])).split('3054 octets')[1] ?? 'no length';
  };
  const segments = (kind: string) => `segments of 1400 octets (${kind}) behind 54 octets of headers`;
  assert.equal(shown(0, 0), '');
  assert.equal(shown(2, 0), '');
  assert.equal(shown(1, 0), ', needs a checksum at 34+16');
  assert.equal(shown(0x81, 0), ', needs a checksum at 34+16, encapsulated');
  assert.equal(shown(0, 0x81), `, ${segments('TCP over IPv4')}`);
  assert.equal(shown(1, 5), `, needs a checksum at 34+16, ${segments('UDP')}`);
  assert.equal(shown(0, 3), `, ${segments('type 0x0003')}`);
});

test('an offload header is shown where there is one', () => {
  // An offload header of 10 octets that needs a checksum, a frame, and another such header.
  const bytes = Buffer.from(`01000000000000000000${ADDRESSES}080601000000000000000000`, 'hex');
  const line = (start: number) =>
    describeFrame({ bytes, start, captured: 0, length: 60, hasOffloadHeader: true }).split(', ').slice(1).join(', ');
  assert.equal(line(10), '60 octets, needs a checksum at 0+0');
  assert.equal(line(9), '60 octets', 'it would begin in front of the octets');
  assert.equal(line(34), '60 octets, needs a checksum at 0+0', 'in front of a frame without any octets');
  assert.equal(line(35), '60 octets', 'the frame would begin behind the octets');
});

test('an example of a frame of a batch is the whole of it', () => {
  const batch = batchWithHeaders([{ frame: Buffer.alloc(60) }, { frame: Buffer.alloc(70) }]);
  assert.deepEqual(exampleOf(batch, 1), {
    bytes: batch.bytes,
    start: batch.starts[1],
    captured: 70,
    length: 70,
    hasOffloadHeader: true,
  });
});
