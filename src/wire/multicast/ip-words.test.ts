import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { octetsOf } from '../../../test/support/multicast-frames.ts';
import { IpWords } from './ip-words.ts';

function wordsOf(octets: Uint8Array, words = new IpWords()): IpWords {
  if (octets.length === 4) words.readIpv4(octets, 0);
  else words.readIpv6(octets, 0);
  return words;
}

const textual = (text: string): IpWords => wordsOf(octetsOf(text));

/** Addresses with octets at the bounds of signs, so that many pairs have the same high words. */
const octet = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
const four = fc.array(octet, { minLength: 4, maxLength: 4 }).map((octets) => Uint8Array.from(octets));
const six = fc.array(octet, { minLength: 16, maxLength: 16 }).map((octets) => Uint8Array.from(octets));
const address = fc.oneof(four, six);
/** An address, and one that differs from it in one octet, or in none. */
const neighbours = fc.tuple(address, fc.nat(15), octet).map(([octets, at, value]) => {
  const other = Uint8Array.from(octets);
  other[at % octets.length] = value;
  return [octets, other] as const;
});

test('addresses are equal and ordered as their octets are', () => {
  fc.assert(
    fc.property(neighbours, ([one, other]) => {
      const order = Buffer.compare(one, other);
      assert.equal(Math.sign(wordsOf(one).compare(wordsOf(other))), order);
      assert.equal(wordsOf(one).equals(wordsOf(other)), order === 0);
    }),
  );
  // One word after the other, against an opposite order of all that follow.
  for (let word = 0; word < 4; word++) {
    const low = Buffer.alloc(16, 0xff).fill(0, 0, 4 * word + 4);
    const high = Buffer.alloc(16).fill(0x80, 4 * word, 4 * word + 1);
    assert.ok(wordsOf(low).compare(wordsOf(high)) < 0 && wordsOf(high).compare(wordsOf(low)) > 0, `word ${word}`);
    assert.equal(wordsOf(high).isUnspecified, false);
    assert.equal(wordsOf(high).equals(wordsOf(Buffer.alloc(16))), false);
  }
  assert.equal(textual('::').equals(textual('0.0.0.0')), false, 'of two families');
});

test('an address is written as it was read, whatever the object had before', () => {
  fc.assert(
    fc.property(address, address, (before, octets) => {
      for (const words of [wordsOf(octets, wordsOf(before)), wordsOf(before).copy(wordsOf(octets))]) {
        assert.ok(words.equals(wordsOf(octets)));
        const bytes = Buffer.alloc(octets.length + 4, 0xee);
        words.write(bytes, 2);
        assert.deepEqual(bytes, Buffer.concat([Buffer.alloc(2, 0xee), octets, Buffer.alloc(2, 0xee)]));
        for (const family of [4, 6] as const) {
          words.clear(family);
          assert.ok(words.isUnspecified && words.equals(textual(family === 4 ? '0.0.0.0' : '::')));
        }
      }
    }),
  );
});

test('what kind of address each is, at the bounds of its range', () => {
  const kinds = ({ isUnspecified, isGroup, isLinkLocal, isAlwaysFlooded }: IpWords): string =>
    Object.entries({ isUnspecified, isGroup, isLinkLocal, isAlwaysFlooded })
      .filter(([, is]) => is)
      .map(([name]) => name)
      .join(' ');
  for (const [text, expected] of [
    ['0.0.0.0', 'isUnspecified'],
    ['::', 'isUnspecified'],
    ['0.0.0.1', ''],
    ['128.0.0.0', ''],
    ['0:1::', ''],
    ['0:0:0:1::', ''],
    ['::1:0:0', ''],
    ['::1', ''],
    ['223.255.255.255', ''],
    ['224.0.0.0', 'isGroup isAlwaysFlooded'],
    ['224.0.0.255', 'isGroup isAlwaysFlooded'],
    ['224.0.1.0', 'isGroup'],
    ['239.255.255.255', 'isGroup'],
    ['240.0.0.0', ''],
    ['254.128.0.0', ''],
    ['fe7f:ffff::', ''],
    ['fe80::', 'isLinkLocal'],
    ['febf:ffff::', 'isLinkLocal'],
    ['fec0::', ''],
    ['ff00::', 'isGroup'],
    ['ffff::', 'isGroup'],
    ['ff02::1', 'isGroup isAlwaysFlooded'],
    ['ff02::2', 'isGroup'],
    ['ff01::1', 'isGroup'],
    ['ff02:0:1::1', 'isGroup'],
    ['ff02::1:0:1', 'isGroup'],
    ['ff02::1:0:0:1', 'isGroup'],
  ] as const) {
    assert.equal(kinds(textual(text)), expected, text);
  }
});

test('the address of a group in Ethernet has the low 23 or 32 bits of the group', () => {
  for (const [group, mac] of [
    ['224.128.0.1', 0x0100_5e00_0001],
    ['239.255.255.255', 0x0100_5e7f_ffff],
    ['ff15::7fff:ffff', 0x3333_7fff_ffff],
    ['ff15::8000:1', 0x3333_8000_0001],
    ['ff15:1:2:3:4:5:ffff:ffff', 0x3333_ffff_ffff],
  ] as const) {
    assert.equal(textual(group).groupMac, mac, group);
    assert.equal(String(textual(group)), group);
  }
});
