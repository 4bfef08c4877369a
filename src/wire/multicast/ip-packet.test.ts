import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onesComplementSum } from '../../../test/support/frames.ts';
import {
  dataFrame,
  groupFrame,
  igmpFrame,
  joinFrame,
  leaveFrame,
  mldFrame,
  octetsOf,
  pimHelloFrame,
  queryFrame,
  recordsFrame,
} from '../../../test/support/multicast-frames.ts';
import { TPID_S_TAG } from '../ethernet/tag.ts';
import { type MulticastKind, MulticastPacket } from './multicast-packet.ts';
import { readMulticast } from './read-multicast.ts';

type Case = readonly [what: string, frame: Buffer, kind: MulticastKind];

/** Reads a frame that other octets follow, and one at the end of its slab: both are of one kind. */
function kindOf(frame: Uint8Array): MulticastKind {
  const kind = readMulticast(new MulticastPacket(), frame, 0, frame.length);
  for (const octet of [0, 0x11]) {
    const slab = Buffer.concat([frame, Buffer.alloc(200, octet)]);
    assert.equal(readMulticast(new MulticastPacket(), slab, 0, frame.length), kind, `octets ${octet} behind it`);
  }
  return kind;
}

function check(cases: readonly Case[]): void {
  for (const [what, frame, kind] of cases) assert.equal(kindOf(frame), kind, what);
}

/** The untagged IPv4 frame with other octets in its header, whose checksum is right. */
function withHeader(frame: Buffer, ...octets: readonly (readonly [at: number, value: number])[]): Buffer {
  const changed = Buffer.from(frame);
  for (const [at, value] of octets) changed[14 + at] = value;
  changed.writeUInt16BE(0, 24);
  const header = changed.subarray(14, 14 + ((changed[14] as number) & 0xf) * 4);
  changed.writeUInt16BE(~onesComplementSum(header) & 0xffff, 24);
  return changed;
}

const HELLO = Buffer.from('200000000001000200690000', 'hex');
const report = joinFrame('239.1.2.3');
const hello = pimHelloFrame(4);

test('a frame that ends inside of its IP header is foreign; octets behind its end are not read', () => {
  for (const [frame, headerEnd] of [
    [dataFrame('239.1.2.3'), 34],
    [dataFrame('ff15::9'), 54],
  ] as const) {
    for (let length = 14; length <= frame.length; length++) {
      const kind = readMulticast(new MulticastPacket(), frame, 0, length);
      assert.equal(kind, length < headerEnd ? 'foreign' : 'data', `${length} octets`);
    }
  }
});

test('an IPv4 header whose fields contradict each other makes a message malformed, and other packets data', () => {
  check([
    ['version 5', withHeader(report, [0, 0x56]), 'malformed'],
    ['a header of 16 octets', withHeader(report, [0, 0x44]), 'malformed'],
    ['a length below that of the header', withHeader(report, [3, 23]), 'malformed'],
    ['a length behind the frame', withHeader(report, [3, 33]), 'malformed'],
    ['a wrong checksum', Buffer.from(report).fill(0, 24, 26), 'malformed'],
    ['PIM of version 5', withHeader(hello, [0, 0x55]), 'data'],
    ['PIM with a length behind the frame', withHeader(hello, [3, 33]), 'data'],
    ['PIM with a wrong checksum', Buffer.from(hello).fill(0, 24, 26), 'data'],
  ]);
});

test('a fragment has no message; one that must not be fragmented is none', () => {
  check([
    ['the first fragment', withHeader(report, [6, 0x20]), 'foreign'],
    ['the last fragment', withHeader(report, [7, 1]), 'foreign'],
    ['an empty one', withHeader(report, [3, 24], [6, 0x1f]), 'foreign'],
    ['"do not fragment"', withHeader(report, [6, 0x40]), 'report'],
    ['a fragment of PIM', withHeader(hello, [6, 0x20]), 'data'],
  ]);
});

test('a PIM hello goes to the group of PIM routers, and has at least four octets', () => {
  const plain = { isPlain: true };
  check([
    ['four octets', groupFrame('224.0.0.13', 103, HELLO.subarray(0, 4), plain), 'router'],
    ['three octets', groupFrame('224.0.0.13', 103, HELLO.subarray(0, 3), plain), 'data'],
    ['another group', groupFrame('224.0.0.14', 103, HELLO, plain), 'data'],
    ['a station', groupFrame('192.0.2.77', 103, HELLO, plain), 'foreign'],
    ['another protocol', groupFrame('224.0.0.13', 17, HELLO, plain), 'data'],
    ['four octets over IPv6', groupFrame('ff02::d', 103, HELLO.subarray(0, 4), plain), 'router'],
    ['three octets over IPv6', groupFrame('ff02::d', 103, HELLO.subarray(0, 3), plain), 'data'],
    ['another group of IPv6', groupFrame('ff05::d', 103, HELLO, plain), 'data'],
    ['a station of IPv6', groupFrame('2001:db8::d', 103, HELLO, plain), 'foreign'],
    ['another protocol over IPv6', groupFrame('ff02::d', 17, HELLO, plain), 'data'],
    ['a length behind the frame', Buffer.from(pimHelloFrame(6)).fill(13, 19, 20), 'data'],
    ['IPv6 of version 5', Buffer.from(pimHelloFrame(6)).fill(0x50, 14, 15), 'foreign'],
  ]);
});

/** The untagged frame of a message of MLD with other extension headers in place of its hop-by-hop header. */
function withHeaders(frame: Buffer, first: number, headers: string): Buffer {
  const extension = Buffer.from(headers, 'hex');
  const changed = Buffer.concat([frame.subarray(0, 54), extension, frame.subarray(62)]);
  changed[20] = first;
  changed.writeUInt16BE(changed.length - 54, 18);
  return changed;
}

test('a message of MLD stands behind a hop-by-hop header, and any further headers for the way', () => {
  const message = joinFrame('ff15::99');
  const alert = '00050200000100';
  const nothing = message.subarray(0, 62);
  check([
    ['a longer header', withHeaders(message, 0, `3a01${'00'.repeat(14)}`), 'report'],
    ['routing', withHeaders(message, 0, `2b${alert}3a00000000000000`), 'report'],
    ['options for the destination', withHeaders(message, 0, `3c${alert}3a00000000000000`), 'report'],
    ['routing alone', withHeaders(message, 43, '3a00000000000000'), 'data'],
    ['a fragment', withHeaders(message, 0, `2c${alert}3a00000000000000`), 'data'],
    ['another protocol', withHeaders(message, 0, `11${alert}`), 'data'],
    ['nothing behind the header', withHeaders(nothing, 0, `3a${alert}`), 'malformed'],
    ['no next header behind it', withHeaders(nothing, 0, `3b${alert}`), 'data'],
    ['half a header', withHeaders(nothing, 0, '3a000502'), 'data'],
    ['a second header that is not there', withHeaders(nothing, 0, `2b${alert}`), 'data'],
    ['a header that ends behind the packet', withHeaders(message, 0, `3aff${'00'.repeat(6)}`), 'data'],
    ['a length behind the frame', Buffer.from(message).fill(33, 19, 20), 'malformed'],
    ['a group in the Ethernet header alone', joinFrame('ff15::99', { to: '2001:db8::1' }), 'foreign'],
  ]);
});

/** A message of IGMP with a group, and octets from the ninth on. */
function igmp(type: number, code: number, group: string, more: readonly number[] = [], to = group): Buffer {
  return igmpFrame(Buffer.concat([Buffer.from([type, code, 0, 0]), octetsOf(group), Buffer.from(more)]), to);
}

/** A message of MLD with a group, and octets from the 25th on. */
function mld(type: number, group: string, more: readonly number[] = [], to = group): Buffer {
  const head = Buffer.from([type, 0, 0, 0, 0, 10, 0, 0]);
  return mldFrame(Buffer.concat([head, octetsOf(group), Buffer.from(more)]), to);
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

test('a query has a length of one of its versions (RFC 3376, 7.1; RFC 3810, 8.1), and room for its sources', () => {
  for (let more = 0; more < 24; more++) {
    assert.equal(kindOf(igmp(0x11, 50, '239.1.2.3', zeros(more))), more > 0 && more < 4 ? 'malformed' : 'query');
    assert.equal(kindOf(mld(130, 'ff15::9', zeros(more))), more > 0 && more < 4 ? 'malformed' : 'query');
  }
  for (const [sources, octets, kind] of [
    [1, 3, 'malformed'],
    [1, 4, 'query'],
    [2, 7, 'malformed'],
    [2, 8, 'query'],
    [0xffff, 8, 'malformed'],
  ] as const) {
    const head = [2, 125, sources >> 8, sources & 0xff];
    assert.equal(kindOf(igmp(0x11, 50, '239.1.2.3', [...head, ...zeros(octets)])), kind, `${sources} of IGMP`);
    assert.equal(kindOf(mld(130, 'ff15::9', [...head, ...zeros(4 * octets)])), kind, `${sources} of MLD`);
  }
});

test('a message that is shorter than its type needs, or for no group, is malformed', () => {
  const cut = (frame: Buffer, octets: number): Buffer => frame.subarray(62, frame.length - octets);
  check([
    ['a report of IGMPv1 for no group', igmp(0x12, 0, '10.1.2.3', [], '224.0.0.1'), 'malformed'],
    ['a report of seven octets', igmpFrame(Buffer.from(report.subarray(38, 45)), '239.1.2.3'), 'malformed'],
    ['a query of MLD for no group', mld(130, '2001:db8::1', [], 'ff02::1'), 'malformed'],
    ['a query of MLD of 23 octets', mldFrame(cut(mld(130, 'ff15::9'), 1), 'ff15::9'), 'malformed'],
    ['a report of MLD of 23 octets', mldFrame(cut(mld(131, 'ff15::9'), 1), 'ff15::9'), 'malformed'],
    ['a report of MLDv2 of seven octets', mldFrame(Buffer.from('8f000000000000', 'hex'), 'ff02::16'), 'malformed'],
    ['a report of MLDv2 without records', mldFrame(Buffer.from('8f00000000000000', 'hex'), 'ff02::16'), 'records'],
    ['three octets of ICMPv6', groupFrame('ff02::1', 58, Buffer.from('870000', 'hex')), 'malformed'],
    ['four octets of ICMPv6', groupFrame('ff02::1', 58, Buffer.from('87000000', 'hex')), 'data'],
    ['an end of a router of four octets', mldFrame(Buffer.from('99000000', 'hex'), 'ff02::6a'), 'routerGone'],
    ['one with a wrong checksum', groupFrame('ff02::6a', 58, Buffer.from('99000000', 'hex')), 'malformed'],
    ['one to another group', mldFrame(Buffer.from('99000000', 'hex'), 'ff02::6b'), 'data'],
    ['one of IGMP to another group', igmp(0x32, 0, '0.0.0.0', [], '224.0.0.107'), 'foreign'],
  ]);
});

test('records have room for their sources and their auxiliary data', () => {
  for (const [group, source, to] of [
    ['239.1.2.3', '10.0.0.1', '224.0.0.22'],
    ['ff15::9', '2001:db8::1', 'ff02::16'],
  ] as const) {
    const whole = recordsFrame([
      { type: 4, group },
      { type: 5, group, sources: [source], auxiliary: 1 },
    ]);
    const isSix = group.includes(':');
    const message = whole.subarray(isSix ? 62 : 38);
    assert.equal(kindOf(whole), 'records');
    for (let length = 8; length < message.length; length++) {
      const shorter = Buffer.from(message.subarray(0, length));
      const frame = isSix ? mldFrame(shorter, to) : igmpFrame(shorter, to);
      assert.equal(kindOf(frame), 'malformed', `${length} of ${message.length} octets`);
    }
  }
});

test('what a message says does not depend on the one before', () => {
  const packet = new MulticastPacket();
  const read = (frame: Buffer): MulticastKind => readMulticast(packet, frame, 0, frame.length);
  for (const [group, source] of [
    ['239.1.2.3', '10.0.0.1'],
    ['ff15::9', '2001:db8::1'],
  ] as const) {
    const family = group.includes(':') ? 6 : 4;
    const full = queryFrame({ group, sources: [source], isSuppressing: true });
    for (const [frame, kind, version] of [
      [queryFrame({ group, isOld: true }), 'query', family === 4 ? 2 : 1],
      [queryFrame({ group }), 'query', family === 4 ? 3 : 2],
      [joinFrame(group), 'report', family === 4 ? 2 : 1],
      [leaveFrame(group), 'leave', family === 4 ? 2 : 1],
    ] as const) {
      assert.equal(read(full), 'query');
      assert.deepEqual([packet.sources, packet.isSuppressing], [1, true]);
      assert.equal(read(frame), kind);
      assert.deepEqual([packet.version, packet.sources], [version, 0], kind);
      if (kind === 'query') assert.equal(packet.isSuppressing, false);
    }
    read(joinFrame(group));
    assert.equal(read(recordsFrame([{ type: 4, group }])), 'records');
    assert.equal(packet.version, family === 4 ? 3 : 2);
    assert.equal(read(joinFrame(group)), 'report');
    assert.equal(packet.nextRecord(), false, 'no record of the message before');
  }
});

test('the group of a query of IGMPv1 is ignored (RFC 1112, appendix I), that of IGMPv2 is not', () => {
  const packet = new MulticastPacket();
  for (const [code, group] of [
    [0, '0.0.0.0'],
    [50, '239.1.2.3'],
  ] as const) {
    const frame = igmp(0x11, code, '239.1.2.3', [], '224.0.0.1');
    assert.equal(readMulticast(packet, frame, 0, frame.length), 'query');
    assert.equal(String(packet.group), group);
  }
});

test('a tag is passed whatever its VID is, if it is of the kind of the port; a frame of another type is foreign', () => {
  for (const message of [report, joinFrame('ff15::99')]) {
    for (const [tag, ofCustomers, ofProviders] of [
      ['81000000', 'report', 'foreign'],
      ['8100efff', 'report', 'foreign'],
      ['88a80000', 'foreign', 'report'],
    ] as const) {
      const frame = Buffer.concat([message.subarray(0, 12), Buffer.from(tag, 'hex'), message.subarray(12)]);
      const packet = new MulticastPacket();
      assert.equal(readMulticast(packet, frame, 0, frame.length), ofCustomers, tag);
      assert.equal(readMulticast(packet, frame, 0, frame.length, TPID_S_TAG), ofProviders, tag);
      assert.equal(readMulticast(packet, frame, 0, 17), 'foreign', 'cut inside of the tag');
    }
    const other = Buffer.from(message);
    other.writeUInt16BE(0x88b5, 12);
    assert.equal(kindOf(other), 'foreign');
  }
});
