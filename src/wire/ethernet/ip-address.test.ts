import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { EtherwsError } from '../../errors.ts';
import {
  checkPrefix,
  classfulPrefixLength,
  formatIpv4,
  formatIpv6,
  formatPrefix,
  netmaskOfPrefixLength,
  parseHostAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
  prefixLengthOfNetmask,
} from './ip-address.ts';

function refused(action: () => unknown, message: RegExp, hint?: string): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, 'ADDRESS_INVALID');
    assert.match(error.message, message);
    if (hint !== undefined) assert.equal(error.hint, hint);
    return true;
  });
}

test('an IPv4 address survives text and number', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.equal(formatIpv4(parseIpv4(text)), text);
    }),
  );
});

test('IPv4 spellings on which tools disagree are refused', () => {
  for (const text of ['', '1', '1.2.3', '1.2.3.4.5', '0x1.2.3.4', '1.2.3.', '1.2.3.-4', ' 1.2.3.4', '1.2.3.4 ']) {
    refused(() => parseIpv4(text), /is no IPv4 address/);
  }
  refused(() => parseIpv4('192.0.2.256'), /256 is outside 0\.\.255/);
  refused(() => parseIpv4('192.0.02.1'), /"02" has a leading zero/);
});

test('an IPv6 address survives text and groups, whatever its spelling', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const canonical = formatIpv6(parseIpv6(text));
      assert.deepEqual(parseIpv6(canonical), parseIpv6(text));
      assert.equal(formatIpv6(parseIpv6(canonical)), canonical);
    }),
  );
});

test('IPv6 text is accepted exactly when the platform accepts it', () => {
  const fragment = fc.constantFrom('::', ':', '0', '1', 'ffff', 'DB8', '12345', '192.0.2.1', '.', 'g', '');
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
      const text = fragments.join('');
      if (isIPv6(text)) parseIpv6(text);
      else refused(() => parseIpv6(text), /is no IPv[46] address/);
    }),
    { numRuns: 2000 },
  );
});

test('IPv6 text is canonical as in RFC 5952', () => {
  for (const [text, canonical] of [
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ] as const) {
    assert.equal(formatIpv6(parseIpv6(text)), canonical);
  }
  refused(() => parseIpv6('fe80::1%eth0'), /it has a zone/);
});

test('a prefix has an address that an interface can bear, and a length', () => {
  assert.deepEqual(parsePrefix('192.0.2.1/24'), { family: 4, address: '192.0.2.1', prefixLength: 24 });
  assert.deepEqual(parsePrefix('2001:DB8::1/64'), { family: 6, address: '2001:db8::1', prefixLength: 64 });
  assert.deepEqual(checkPrefix('10.0.0.1', 32), { family: 4, address: '10.0.0.1', prefixLength: 32 });
  refused(() => parsePrefix('192.0.2.1'), /has no prefix length/);
  refused(() => parsePrefix('192.0.2.1/'), /is no prefix length/);
  refused(() => parsePrefix('192.0.2.1/255.255.255.0'), /"255\.255\.255\.0" .* is no prefix length/);
  refused(() => parsePrefix('192.0.2.1/33'), /33 is outside 1\.\.32/);
  refused(() => parsePrefix('192.0.2.1/0'), /0 is outside 1\.\.32/);
  refused(() => parsePrefix('2001:db8::1/129'), /129 is outside 1\.\.128/);
  refused(() => checkPrefix('192.0.2.1', 24.5), /24\.5 is outside/);
});

test('unspecified, group and reserved addresses are refused', () => {
  refused(() => parseHostAddress('0.0.0.0'), /0\.0\.0\.0\/8/);
  refused(() => parseHostAddress('224.0.0.1'), /multicast/);
  refused(() => parseHostAddress('250.0.0.1'), /reserved/);
  refused(() => parseHostAddress('255.255.255.255'), /broadcast/);
  refused(() => parseHostAddress('::'), /unspecified/);
  refused(() => parseHostAddress('ff02::1'), /multicast/);
});

test('netmask and prefix length are one', () => {
  for (let length = 1; length <= 32; length++) {
    assert.equal(prefixLengthOfNetmask(netmaskOfPrefixLength(length)), length);
  }
  assert.equal(netmaskOfPrefixLength(0), '0.0.0.0');
  refused(() => prefixLengthOfNetmask('255.0.255.0'), /not contiguous/);
  refused(() => prefixLengthOfNetmask('0.0.0.255'), /every address/);
  assert.throws(() => netmaskOfPrefixLength(33), RangeError);
});

test('an address without a netmask has that of its class', () => {
  assert.equal(classfulPrefixLength('10.0.0.1'), 8);
  assert.equal(classfulPrefixLength('172.16.0.1'), 16);
  assert.equal(classfulPrefixLength('192.168.0.1'), 24);
});

test('a refusal says what is wrong, and what to write', () => {
  refused(() => parseIpv4('1.2.3'), /^"1\.2\.3" is no IPv4 address$/, 'Write four decimal numbers, as in 192.0.2.1');
  refused(() => parseIpv4('1.2.3.04'), /"04" has a leading zero$/, 'Write it without leading zeros');
  const asInIpv6 = 'Write it as in 2001:db8::1';
  refused(() => parseIpv6('1::2::3'), /: "::" stands twice$/, asInIpv6);
  refused(() => parseIpv6('1:2:3'), /: it has 3 groups of 16 bits, not 8$/, asInIpv6);
  refused(() => parseIpv6('1:2::3:4:5:6:7:8'), /: it has 8 groups of 16 bits, not 8$/, asInIpv6);
  refused(() => parseIpv6('::12345'), /: "12345" is no group of one to four hexadecimal digits$/, asInIpv6);
  refused(
    () => parsePrefix('192.0.2.1'),
    /"192\.0\.2\.1" has no prefix length$/,
    'Write ADDRESS/LENGTH, as in 192.0.2.1/24',
  );
  refused(() => prefixLengthOfNetmask('255.255.0.255'), /not contiguous$/, 'The nearest is 255.255.0.0');
  assert.throws(
    () => parseHostAddress('224.0.0.1'),
    (error: EtherwsError) => !('hint' in error) || error.hint === undefined,
  );
});

test('an IPv4 address stands at the end of an IPv6 address only', () => {
  assert.deepEqual(parseIpv6('::192.0.2.1'), [0, 0, 0, 0, 0, 0, 0xc000, 0x0201]);
  assert.deepEqual(parseIpv6('1:2:3:4:5:6:192.0.2.1'), [1, 2, 3, 4, 5, 6, 0xc000, 0x0201]);
  refused(() => parseIpv6('192.0.2.1::'), /"192\.0\.2\.1" is no group/);
  refused(() => parseIpv6('::192.0.2.1:1'), /"192\.0\.2\.1" is no group/);
});

test('"::" stands for one group or more', () => {
  assert.deepEqual(parseIpv6('1:2:3:4:5:6:7::'), [1, 2, 3, 4, 5, 6, 7, 0]);
  assert.deepEqual(parseIpv6('::'), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(formatIpv6([0, 0, 1, 1, 0, 0, 1, 1]), '::1:1:0:0:1:1', 'of two runs of one length the first');
  assert.equal(formatIpv6([0, 0, 0, 0, 0, 0, 0, 0]), '::');
  assert.equal(formatIpv6([1, 2, 3, 4, 5, 6, 0, 0]), '1:2:3:4:5:6::');
});

test('the bounds of what a host may bear', () => {
  for (const text of ['1.0.0.0', '223.255.255.255', '127.0.0.1']) assert.equal(parseHostAddress(text).address, text);
  refused(() => parseHostAddress('0.255.255.255'), /^0\.255\.255\.255 is in 0\.0\.0\.0\/8/);
  refused(() => parseHostAddress('239.255.255.255'), /is a multicast address$/);
  refused(() => parseHostAddress('240.0.0.0'), /is reserved$/);
  refused(() => parseHostAddress('255.255.255.254'), /is reserved$/);
  assert.equal(parseHostAddress('feff::').address, 'feff::');
  refused(() => parseHostAddress('ff00::'), /multicast/);
});

test('the bounds of prefix lengths, and of the classes', () => {
  assert.equal(parsePrefix('192.0.2.1/1').prefixLength, 1);
  assert.equal(parsePrefix('192.0.2.1/32').prefixLength, 32);
  assert.equal(parsePrefix('2001:db8::1/128').prefixLength, 128);
  refused(() => parsePrefix('/24'), /"" is no IPv4 address/);
  refused(() => checkPrefix('2001:db8::1', 129), /^prefix length 129 is outside 1\.\.128 for IPv6$/);
  for (const length of [-1, 33, 24.5, Number.NaN]) {
    const error = { name: 'RangeError', message: `prefix length ${length} is outside 0..32` };
    assert.throws(() => netmaskOfPrefixLength(length), error);
  }
  for (const [address, length] of [
    ['127.0.0.1', 8],
    ['128.0.0.1', 16],
    ['191.255.0.1', 16],
    ['192.0.0.1', 24],
  ] as const) {
    assert.equal(classfulPrefixLength(address), length, address);
  }
});

test('a prefix is written as it is read', () => {
  for (const text of ['192.0.2.1/24', '2001:db8::1/64']) assert.equal(formatPrefix(parsePrefix(text)), text);
});
