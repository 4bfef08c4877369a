import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMacAddress, isGroupAddress, parseMacAddress, readMacAddress } from './mac-address.ts';

test('a MAC address survives octets, number and text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (octets) => {
      const mac = readMacAddress(octets, 0);
      const text = formatMacAddress(mac);
      assert.match(text, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      assert.equal(parseMacAddress(text.toUpperCase().replaceAll(':', '-')), mac);
      assert.equal(isGroupAddress(mac), ((octets[0] as number) & 1) === 1);
    }),
  );
});

test('text that is no MAC address is refused with what was got', () => {
  for (const text of [
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:0g',
    '02-00:00:00:00:00',
    '020000000000',
    '02:00:00:00:00:00:00',
  ]) {
    assert.throws(
      () => parseMacAddress(text),
      (error: RangeError) => error.message.includes(`"${text}"`),
    );
  }
});
