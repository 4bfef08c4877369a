import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MacAddress, parseMacAddress } from './mac-address.ts';
import { ALL_RESERVED, parseReservedSet, reservedDigitOf } from './reserved-address.ts';

test('the sixteen reserved group addresses are known by their last digit, and no other address is', () => {
  for (let digit = 0; digit < 16; digit++) {
    assert.equal(reservedDigitOf(parseMacAddress(`01:80:c2:00:00:0${digit.toString(16)}`)), digit);
  }
  for (const other of ['01:80:c2:00:00:10', '01:80:c1:ff:ff:ff', '00:80:c2:00:00:00', 'ff:ff:ff:ff:ff:ff']) {
    assert.equal(reservedDigitOf(parseMacAddress(other)), -1, other);
  }
  fc.assert(
    fc.property(
      fc.maxSafeNat().filter((mac) => mac < 2 ** 48),
      (mac) => {
        const isReserved = mac.toString(16).padStart(12, '0').slice(0, 11) === '0180c200000';
        assert.equal(reservedDigitOf(mac as MacAddress) >= 0, isReserved);
      },
    ),
  );
});

test('a set of them is read from digits of either case, or all', () => {
  assert.equal(parseReservedSet('0'), 0x0001);
  assert.equal(parseReservedSet('0,E'), 0x4001);
  assert.equal(parseReservedSet('e,0,e'), 0x4001);
  assert.equal(parseReservedSet('1,e'), 0x4002);
  assert.equal(parseReservedSet('0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f'), ALL_RESERVED);
  assert.equal(parseReservedSet('all'), ALL_RESERVED);
  for (const text of ['', ',', '0,', '0 E', '0E', '10', 'g', 'ALL', '-1', '01:80:c2:00:00:0e']) {
    assert.throws(
      () => parseReservedSet(text),
      { name: 'RangeError', message: /last hexadecimal digits as 0,E/ },
      text,
    );
  }
});
