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
  netmaskOfPrefixLength,
  parseHostAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
  prefixLengthOfNetmask,
} from './ip-address.ts';

function refused(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof EtherwsError, String(error));
    assert.equal(error.code, 'ADDRESS_INVALID');
    assert.match(error.message, message);
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
