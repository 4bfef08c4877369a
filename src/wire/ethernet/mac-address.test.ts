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

test('the first octet is the most significant one', () => {
  const octets = Uint8Array.of(0xff, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0xff);
  assert.equal(readMacAddress(octets, 1), 0xfedc_ba98_7654);
  assert.equal(formatMacAddress(readMacAddress(octets, 1)), 'fe:dc:ba:98:76:54');
});
