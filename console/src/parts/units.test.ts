import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration } from './time.ts';
import { bitRate, count, counted, milliseconds, octets, rate } from './units.ts';

/** With plain spaces, so that the expected texts can be read. */
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');

test('numbers have three digits and their unit', () => {
  assert.deepEqual(
    [0, 7, 999, 999.6, 1000, 12_345, 123_456, 999_600, 2.5e9].map((value) => plain(bitRate(value))),
    [
      '0 bit/s',
      '7 bit/s',
      '999 bit/s',
      '1.00 kbit/s',
      '1.00 kbit/s',
      '12.3 kbit/s',
      '123 kbit/s',
      '1.00 Mbit/s',
      '2.50 Gbit/s',
    ],
  );
  assert.deepEqual(
    [512, 1024, 5_000_000].map((value) => plain(octets(value))),
    ['512 B', '1.00 KiB', '4.77 MiB'],
  );
  assert.deepEqual(
    [0.25, 12.34, 250, 1500].map((value) => plain(milliseconds(value))),
    ['0.25 ms', '12.3 ms', '250 ms', '1.50 s'],
  );
  assert.deepEqual(
    [3, 1234].map((value) => plain(rate(value))),
    ['3/s', '1.23 k/s'],
  );
});

test('counts are grouped, and named in the singular and plural', () => {
  assert.equal(plain(count(1_234_567)), '1 234 567');
  assert.deepEqual(
    [plain(counted(1, 'port')), plain(counted(0, 'port')), plain(counted(2, 'entry', 'entries'))],
    ['1 port', '0 ports', '2 entries'],
  );
});

test('a duration has its two largest units', () => {
  assert.deepEqual(
    [0, 8, 60, 725, 7200, 273_600].map((value) => plain(duration(value))),
    ['0 s', '8 s', '1 min', '12 min 5 s', '2 h', '3 d 4 h'],
  );
});
