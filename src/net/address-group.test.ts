import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressGroup } from './address-group.ts';

test('an IPv4 address stands for itself, however the listener writes it', () => {
  assert.equal(addressGroup('192.0.2.1'), '192.0.2.1');
  assert.equal(addressGroup('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(addressGroup('::FFFF:192.0.2.1'), '192.0.2.1');
  assert.equal(addressGroup(''), '');
});

test('an IPv6 address stands for its /64', () => {
  for (const [address, group] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0001::1', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ] as const) {
    assert.equal(addressGroup(address), group, address);
  }
});

test('two addresses share a group when their first 64 bits are the same', () => {
  const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
  const text = (front: number[], back: number[]): string =>
    new URL(`http://[${[...front, ...back].map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
  fc.assert(
    fc.property(half, half, half, half, (front, otherFront, back, otherBack) => {
      assert.equal(addressGroup(text(front, back)), addressGroup(text(front, otherBack)));
      const isSame = front.every((group, index) => group === otherFront[index]);
      assert.equal(addressGroup(text(front, back)) === addressGroup(text(otherFront, back)), isSame);
    }),
  );
});
