import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { onesComplementSum } from '../../../test/support/frames.ts';
import { describeFrame } from '../ethernet/frame-summary.ts';
import type { MacAddress } from '../ethernet/mac-address.ts';
import { arpProbe, readArp } from './arp.ts';
import { BROADCAST } from './header.ts';
import {
  ALL_NODES,
  advertisement,
  echoRequest,
  groupMacOf,
  linkLocalOf,
  readIcmpv6,
  solicitation,
  solicitedNodeOf,
} from './icmpv6.ts';
import { llcTest, readLlcTestResponse } from './llc.ts';

const OWN = 0x02_0000_0000_01 as MacAddress;
const HOST = 0x52_5400_1234_56 as MacAddress;
const IP = 0xc0_00_02_07;

test('an ARP probe asks from 0.0.0.0 for an address, in 60 octets', () => {
  const frame = arpProbe({ destination: BROADCAST, source: OWN, vid: 0 }, IP);
  assert.equal(frame.length, 60);
  assert.equal(
    frame.toString('hex', 0, 42),
    'ffffffffffff0200000000010806000108000604000102000000000100000000000000000000c0000207',
  );
  assert.deepEqual(readArp(frame, 14, 60), { isReply: false, senderMac: OWN, senderIp: 0, targetIp: IP });
});

test('an ARP reply is read, packets of other kinds and truncated ones are not', () => {
  const frame = arpProbe({ destination: OWN, source: HOST, vid: 0 }, 0);
  frame.writeUInt16BE(2, 20);
  frame.writeUInt32BE(IP, 28);
  assert.deepEqual(readArp(frame, 14, 42), { isReply: true, senderMac: HOST, senderIp: IP, targetIp: 0 });
  assert.equal(readArp(frame, 14, 41), undefined);
  for (const at of [14, 16, 18, 19]) {
    const other = Buffer.from(frame);
    other[at] = (other[at] as number) + 1;
    assert.equal(readArp(other, 14, 42), undefined, `octet ${at}`);
  }
});

test('a tag stands in front of the type', () => {
  const frame = arpProbe({ destination: BROADCAST, source: OWN, vid: 10 }, IP);
  assert.equal(frame.toString('hex', 12, 18), '8100000a0806');
  assert.equal(readArp(frame, 18, 60)?.targetIp, IP);
});

test('an LLC TEST command is no response, and its response is read', () => {
  const frame = llcTest({ destination: HOST, source: OWN, vid: 0 }, 0x0102);
  assert.equal(frame.toString('hex', 12, 19), '00050000f30102');
  assert.equal(readLlcTestResponse(frame, 14, 60), undefined);
  frame[15] = 1;
  assert.equal(readLlcTestResponse(frame, 14, 60), 0x0102);
  assert.equal(readLlcTestResponse(frame, 14, 19), 0x0102);
  assert.equal(readLlcTestResponse(frame, 14, 18), undefined);
  for (const [at, value] of [
    [14, 2],
    [16, 0xe3],
  ] as const) {
    const other = Buffer.from(frame);
    other[at] = value;
    assert.equal(readLlcTestResponse(other, 14, 60), undefined);
  }
});

test('addresses of IPv6 that belong to others', () => {
  assert.equal(linkLocalOf(HOST).toString('hex'), 'fe80000000000000505400fffe123456');
  const target = Buffer.from('20010db80000000000000000004512ab', 'hex');
  assert.equal(solicitedNodeOf(target).toString('hex'), 'ff0200000000000000000001ff4512ab');
  assert.equal(groupMacOf(solicitedNodeOf(target)), 0x3333_ff45_12ab);
  assert.equal(groupMacOf(ALL_NODES), 0x3333_0000_0001);
});

test('a solicitation and an advertisement have these octets', () => {
  const header = { destination: HOST, source: OWN, vid: 0 };
  const [own, host] = ['fe80000000000000000000fffe000001', 'fe80000000000000505400fffe123456'];
  const solicited = 'ff0200000000000000000001ff123456';
  const ethernet = '52540012345602000000000186dd';
  for (const [frame, to, message] of [
    [solicitation(header, linkLocalOf(HOST)), solicited, `870000000000${host}0101020000000001`],
    [advertisement(header, linkLocalOf(HOST)), host, `880060000000${own}0201020000000001`],
  ] as const) {
    const addresses = `${own}${to}`;
    const head = message.slice(0, 4);
    const tail = message.slice(4);
    // The pseudo header has the addresses, the length and the protocol (RFC 8200, 8.1).
    const covered = Buffer.from(`${addresses}000000200000003a${head}0000${tail}`, 'hex');
    const checksum = (~onesComplementSum(covered) & 0xffff).toString(16).padStart(4, '0');
    assert.equal(frame.toString('hex'), `${ethernet}6000000000203aff${addresses}${head}${checksum}${tail}`);
  }
});

test('a solicitation without an option is read, as hosts send it that look for duplicates (RFC 4862, 5.4.2)', () => {
  const target = linkLocalOf(HOST);
  const frame = Buffer.from(solicitation({ destination: OWN, source: HOST, vid: 0 }, target).subarray(0, 78));
  frame.writeUInt16BE(24, 18);
  frame.writeUInt16BE(0, 56);
  const covered = [frame.subarray(22, 54), Buffer.from('000000180000003a', 'hex'), frame.subarray(54)];
  frame.writeUInt16BE(~onesComplementSum(...covered) & 0xffff, 56);
  assert.deepEqual(readIcmpv6(frame, 14, frame.length), { kind: 'solicitation', from: linkLocalOf(HOST), target });
});

test('a packet whose last octets are zeros is not read without them', () => {
  const frame = solicitation({ destination: HOST, source: 0x02_0000_0000_00 as MacAddress, vid: 0 }, linkLocalOf(HOST));
  assert.equal(readIcmpv6(frame, 14, frame.length)?.kind, 'solicitation');
  assert.equal(readIcmpv6(frame, 14, frame.length - 1), undefined);
});

test('solicitations and advertisements have checksums that are right, hop limit 255, and link-layer addresses', () => {
  const header = { destination: HOST, source: OWN, vid: 0 };
  const target = linkLocalOf(HOST);
  const asked = solicitation(header, target);
  assert.deepEqual(readIcmpv6(asked, 14, asked.length), { kind: 'solicitation', from: linkLocalOf(OWN), target });
  assert.equal(asked.length, 14 + 40 + 32);
  assert.equal(asked[21], 255);
  assert.equal(asked.toString('hex', 78), '0101020000000001');
  assert.match(describeFrame({ bytes: asked, start: 0, captured: 86, length: 86, hasOffloadHeader: false }), /ICMPv6/);
  const told = advertisement(header, target);
  assert.deepEqual(readIcmpv6(told, 14, told.length), {
    kind: 'advertisement',
    from: linkLocalOf(OWN),
    target: linkLocalOf(OWN),
  });
  assert.equal(told.toString('hex', 58, 62), '60000000');
  assert.equal(told.toString('hex', 78), '0201020000000001');
});

test('an echo reply is read with its numbers, a request is not', () => {
  const frame = echoRequest({ destination: HOST, source: OWN, vid: 0 }, ALL_NODES, 7, 0xffff);
  assert.equal(readIcmpv6(frame, 14, frame.length), undefined);
  frame[54] = 129;
  frame.writeUInt16BE(frame.readUInt16BE(56) - 0x100, 56);
  assert.deepEqual(readIcmpv6(frame, 14, frame.length), {
    kind: 'echoReply',
    from: linkLocalOf(OWN),
    id: 7,
    sequence: 0xffff,
  });
});

test('a packet with a wrong checksum, of another protocol, from another link, or that is cut is not read', () => {
  const frame = solicitation({ destination: HOST, source: OWN, vid: 0 }, linkLocalOf(HOST));
  for (let end = 14; end < frame.length; end++) assert.equal(readIcmpv6(frame, 14, end), undefined, `${end}`);
  for (let at = 18; at < frame.length; at++) {
    // The hop limit is not covered by the checksum.
    const other = Buffer.from(frame);
    other[at] = (other[at] as number) ^ 4;
    assert.equal(readIcmpv6(other, 14, other.length), undefined, `octet ${at}`);
  }
});

test('no octets make a reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(60), (octets, at) => {
      readArp(octets, at, octets.length);
      readIcmpv6(octets, at, octets.length);
      const sequence = readLlcTestResponse(octets, at, octets.length);
      assert.ok(sequence === undefined || sequence <= 0xffff);
    }),
    { numRuns: 3000 },
  );
});
