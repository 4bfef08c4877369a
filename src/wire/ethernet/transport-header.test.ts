import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FrameFields, frameOf } from '../../../test/support/frames.ts';
import { locateTransport, TransportHeader } from './transport-header.ts';

const payload = Buffer.alloc(100, 7);
/** An IPv6 extension header of 16 octets. */
const extension = { type: 0, bytes: Buffer.from('00010502000001000000000000000000', 'hex') };

const CASES: readonly [string, FrameFields, { isIpv6: boolean; protocol: number }][] = [
  ['TCP over IPv4', { payload }, { isIpv6: false, protocol: 6 }],
  ['TCP with options', { payload, options: Buffer.alloc(12, 1) }, { isIpv6: false, protocol: 6 }],
  ['UDP over IPv4, in a VLAN', { payload, protocol: 'udp', tags: [5] }, { isIpv6: false, protocol: 17 }],
  ['TCP over IPv6, in two VLANs', { payload, ipv6: true, tags: [5, 6] }, { isIpv6: true, protocol: 6 }],
  [
    'UDP behind an extension header',
    { payload, ipv6: true, protocol: 'udp', extension },
    { isIpv6: true, protocol: 17 },
  ],
];

function locate(frame: Uint8Array, length = frame.length, start = 0): [string, TransportHeader] {
  const found = new TransportHeader();
  // Values of an earlier frame, which must be overwritten.
  Object.assign(found, { isIpv6: true, networkEnd: 999, protocol: 6, transportStart: 999, payloadStart: 999 });
  return [locateTransport(frame, start, length, found) ?? 'well', found];
}

/** The same frame with other octets from `at` on. */
function changed(frame: Buffer, at: number, hex: string): Buffer {
  const bytes = Buffer.from(frame);
  Buffer.from(hex, 'hex').copy(bytes, at);
  return bytes;
}

for (const [name, fields, expected] of CASES) {
  const { bytes, networkStart, transportStart, payloadStart } = frameOf(fields);

  test(`the headers of ${name}, anywhere in a slab, and with padding behind`, () => {
    const whole = { ...expected, networkStart, transportStart, payloadStart, networkEnd: bytes.length };
    const slab = Buffer.concat([Buffer.alloc(99, 0xff), bytes, Buffer.alloc(20, 0xff)]);
    for (const length of [bytes.length, bytes.length + 20]) {
      const [fault, found] = locate(slab, length, 99);
      assert.equal(fault, 'well');
      assert.deepEqual({ ...found }, whole);
    }
  });

  test(`${name} that ends too soon: inside of the IP header, or behind it`, () => {
    const ipHeaderEnd = networkStart + (expected.isIpv6 ? 40 : 20);
    for (let length = 0; length < bytes.length; length++) {
      // The octets after the end exist, and must not be read as part of the frame.
      assert.equal(locate(bytes, length)[0], length < ipHeaderEnd ? 'truncated' : 'ipLength', `${length} octets`);
    }
  });

  test(`${name} whose IP packet ends too soon: inside of a header, or behind them`, () => {
    const least = transportStart + (expected.protocol === 6 ? payloadStart - transportStart : 8);
    const base = expected.isIpv6 ? networkStart + 40 : networkStart;
    for (let end = networkStart + (expected.isIpv6 ? 40 : 20); end <= bytes.length; end++) {
      const lengthAt = networkStart + (expected.isIpv6 ? 4 : 2);
      const lie = changed(bytes, lengthAt, (end - base).toString(16).padStart(4, '0'));
      assert.equal(locate(lie)[0], end < least ? 'truncated' : 'well', `${end} octets`);
    }
  });
}

test('an IPv4 header of other lengths: with options, too short, beyond its packet', () => {
  const { bytes } = frameOf({ payload });
  // With a longer IPv4 header the TCP header is read as options; what follows is no TCP header, but as long as one.
  const [fault, found] = locate(changed(changed(bytes, 14, '4a'), 14 + 40 + 12, '50'));
  assert.deepEqual([fault, found.transportStart, found.payloadStart], ['well', 14 + 40, 14 + 60]);
  for (const first of ['44', '40', '55', '65']) assert.equal(locate(changed(bytes, 14, first))[0], 'truncated', first);
  // A packet of 36 octets whose header claims 40; then one of 40, whose end is the end of its header.
  assert.equal(locate(changed(changed(bytes, 14, '4a'), 16, '0024'))[0], 'truncated');
  const nothingBehind = changed(changed(changed(bytes, 14, '4a'), 16, '0028'), 14 + 9, 'fd');
  assert.equal(locate(nothingBehind)[0], 'protocol');
});

test('an IPv6 extension header ends inside of its packet', () => {
  const { bytes, transportStart } = frameOf({ payload, ipv6: true, extension });
  const ofPacket = (octets: number, next = '06') =>
    locate(changed(changed(bytes, 14 + 4, octets.toString(16).padStart(4, '0')), 14 + 40, next))[0];
  for (let octets = 0; octets < 16; octets++) assert.equal(ofPacket(octets, 'fd'), 'truncated', `${octets} octets`);
  assert.equal(ofPacket(16, 'fd'), 'protocol', 'it may be all there is');
  assert.equal(transportStart, 14 + 40 + 16);
  const short = frameOf({ payload, ipv6: true, extension: { type: 60, bytes: Buffer.alloc(8) } }).bytes;
  assert.equal(locate(changed(changed(short, 14 + 4, '0008'), 14 + 40, 'fd'))[0], 'protocol', 'also of eight octets');
});

test('a header that is no IP header ends the search, also at the end of the frame', () => {
  const { bytes } = frameOf({ payload, tags: [5] });
  assert.equal(locate(changed(bytes, 12, '0806'), 14)[0], 'protocol');
  assert.equal(locate(changed(bytes, 16, '0806'), 18)[0], 'protocol');
  assert.equal(locate(changed(bytes, 16, '0806'), 17)[0], 'truncated');
  // The octets after the end of the packet would be a routing header with segments left.
  const routing = frameOf({ payload, ipv6: true, extension }).bytes;
  assert.equal(locate(changed(changed(routing, 14 + 4, '0004'), 14 + 6, '2b'))[0], 'truncated');
});

test('a later fragment has no transport header, and other protocols have none that is known', () => {
  const { bytes } = frameOf({ payload });
  assert.equal(locate(changed(bytes, 20, '0001'))[0], 'fragment');
  assert.equal(locate(changed(bytes, 20, '2000'))[0], 'fragment');
  assert.equal(locate(changed(bytes, 20, '4000'))[0], 'well', 'that it must not be fragmented says nothing');
  assert.equal(locate(changed(bytes, 14 + 9, '84'))[0], 'protocol');
  const [fault, found] = locate(changed(bytes, 12, '0806'));
  assert.deepEqual(
    [fault, found.protocol, found.transportStart],
    ['protocol', -1, 0],
    'nothing is left of an earlier frame',
  );
});
