import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onesComplementSum } from '../../../test/support/frames.ts';
import { queryFrame as expectedFrame } from '../../../test/support/multicast-frames.ts';
import { parseMacAddress } from '../ethernet/mac-address.ts';
import { IpWords, linkLocalOf } from './ip-words.ts';
import { MulticastPacket } from './multicast-packet.ts';
import { type Query, queryFrame } from './query-frame.ts';
import { readMulticast } from './read-multicast.ts';
import { code8Of, code16Of, valueOfCode8, valueOfCode16 } from './response-code.ts';

const MAC = parseMacAddress('02:00:00:00:00:01');

function query(group: IpWords, source: IpWords, maxResponseMs: number): Query {
  return { group, sourceMac: MAC, source, maxResponseMs, robustness: 2, queryIntervalMs: 125_000 };
}

function addressOf(...octets: number[]): IpWords {
  const words = new IpWords();
  if (octets.length === 4) words.readIpv4(Uint8Array.from(octets), 0);
  else words.readIpv6(Uint8Array.from(octets), 0);
  return words;
}

/** Without the IPv4 header's checksum and its fields that are ours: traffic class, "do not fragment". */
function comparable(frame: Buffer): string {
  const copy = Buffer.from(frame);
  if (copy.readUInt16BE(12) === 0x0800) for (const at of [15, 20, 24, 25]) copy[at] = 0;
  return copy.toString('hex');
}

test('queries are those that a second implementation makes', () => {
  const none = new IpWords();
  const none6 = new IpWords();
  none6.clear(6);
  const group6 = addressOf(0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
  for (const [made, expected] of [
    [query(none, none, 10_000), expectedFrame({ from: '0.0.0.0' })],
    [
      query(addressOf(239, 1, 2, 3), addressOf(10, 0, 0, 1), 1000),
      expectedFrame({ group: '239.1.2.3', from: '10.0.0.1', code: 10 }),
    ],
    [query(none6, linkLocalOf(MAC), 10_000), expectedFrame({ family: 6, from: 'fe80::ff:fe00:1' })],
    [query(group6, linkLocalOf(MAC), 1000), expectedFrame({ group: 'ff15::9', from: 'fe80::ff:fe00:1', code: 1000 })],
  ] as const) {
    assert.equal(comparable(queryFrame(made)), comparable(expected));
    const frame = queryFrame(made);
    const packet = new MulticastPacket();
    assert.equal(readMulticast(packet, frame, 0, frame.length), 'query');
    assert.ok(packet.group.equals(made.group) && packet.source.equals(made.source));
    assert.equal(packet.maxResponseMs, made.maxResponseMs);
  }
});

test('a query of IGMP has the precedence, the TTL and the checksum of RFC 3376, and is not to be fragmented', () => {
  const frame = queryFrame(query(new IpWords(), addressOf(10, 0, 0, 1), 10_000));
  assert.equal(frame.toString('hex', 14, 24), '46c00024000040000102');
  assert.equal(frame.toString('hex', 26, 38), '0a000001e000000194040000');
  assert.equal(onesComplementSum(frame.subarray(14, 38)), 0xffff);
});

test('robustness and times are rounded into their fields', () => {
  for (const family of [4, 6] as const) {
    const group = new IpWords();
    group.clear(family);
    const frame = queryFrame({ ...query(group, group, 1049), robustness: 7, queryIntervalMs: 1499 });
    assert.equal(frame.toString('hex', frame.length - 4), '07010000');
    assert.equal(family === 4 ? frame[39] : frame.readUInt16BE(66), family === 4 ? 10 : 1049);
  }
});

test('queries for sources, with and without the flag S, are those that a second implementation makes', () => {
  const source6 = (last: number): IpWords => addressOf(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
  const group6 = addressOf(0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
  for (const isSuppressing of [false, true]) {
    const made = {
      ...query(addressOf(239, 1, 2, 3), addressOf(10, 0, 0, 1), 1000),
      ...{ sources: [addressOf(192, 0, 2, 1), addressOf(10, 9, 8, 7)], isSuppressing },
    };
    const made6 = { ...query(group6, linkLocalOf(MAC), 1000), sources: [source6(1), source6(2)], isSuppressing };
    for (const [frame, expected] of [
      [
        queryFrame(made),
        expectedFrame({
          ...{ group: '239.1.2.3', from: '10.0.0.1', code: 10, sources: ['192.0.2.1', '10.9.8.7'], isSuppressing },
        }),
      ],
      [
        queryFrame(made6),
        expectedFrame({
          ...{ group: 'ff15::9', from: 'fe80::ff:fe00:1', code: 1000 },
          ...{ sources: ['2001:db8::1', '2001:db8::2'], isSuppressing },
        }),
      ],
    ] as const) {
      assert.equal(comparable(frame), comparable(expected));
    }
  }
});

test('codes of times: exact up to 127 and 32 767, then the largest that is not above', () => {
  for (const [codeOf, timeOf, most, plain] of [
    [code8Of, valueOfCode8, 31_744, 127],
    [code16Of, valueOfCode16, 8_387_584, 32_767],
  ] as const) {
    for (let value = 0; value <= Math.min(most, 40_000); value++) {
      const back = timeOf(codeOf(value));
      assert.ok(back <= value && (value > plain || back === value), `${value} became ${back}`);
      assert.ok(value - back <= value / 16, `${value} became ${back}`);
    }
    assert.equal(timeOf(codeOf(most)), most);
    assert.equal(timeOf(codeOf(most * 2)), most, 'a longer time is the longest');
  }
  // The examples of RFC 3376, 4.1.1: 1 | exponent | mantissa.
  assert.equal(valueOfCode8(0xb5), 0x15 << 6);
  assert.equal(valueOfCode16(0xffff), 0x1fff << 10);
});

test('addresses: order without signs, kinds of groups, text', () => {
  assert.ok(addressOf(10, 0, 0, 1).compare(addressOf(192, 0, 2, 1)) < 0);
  assert.ok(addressOf(192, 0, 2, 2).compare(addressOf(192, 0, 2, 1)) > 0);
  assert.equal(addressOf(224, 0, 0, 251).isAlwaysFlooded, true);
  assert.equal(addressOf(224, 0, 1, 0).isAlwaysFlooded, false);
  assert.equal(addressOf(223, 255, 255, 255).isGroup, false);
  assert.equal(addressOf(240, 0, 0, 0).isGroup, false);
  const allNodes = addressOf(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  assert.equal(allNodes.isAlwaysFlooded, true);
  assert.equal(String(allNodes), 'ff02::1');
  assert.equal(addressOf(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb).isAlwaysFlooded, false);
  assert.equal(addressOf(239, 129, 2, 3).groupMac, 0x0100_5e01_0203, 'the low 23 bits');
  assert.equal(allNodes.groupMac, 0x3333_0000_0001);
  assert.equal(String(linkLocalOf(parseMacAddress('52:54:00:ab:cd:ef'))), 'fe80::5054:ff:feab:cdef');
});
