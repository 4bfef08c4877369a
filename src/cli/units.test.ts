import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMs, formatOctets, formatRate, formatSeconds } from './units.ts';

test('octets have the largest unit that leaves at least one', () => {
  const octets = [0, 1023, 1024, 1536, 102_400, 1_048_575, 1_048_576, 1024 ** 4, 1024 ** 6];
  assert.deepEqual(
    octets.map(formatOctets),
    '0 B,1023 B,1.0 KiB,1.5 KiB,100 KiB,1.0 MiB,1.0 MiB,1.0 TiB,1024 PiB'.split(','),
  );
});

test('rates go by thousands', () => {
  assert.deepEqual(
    [0, 999, 999.6, 1000, 12_345, 1e9, 123e9].map(formatRate),
    '0,999,1.0k,1.0k,12.3k,1.0G,123G'.split(','),
  );
});

test('times have their two largest units', () => {
  const seconds = [0, 59.9, 60, 3599, 3600, 86_399, 86_400, 93_600];
  assert.deepEqual(
    seconds.map(formatSeconds),
    '0 s,59 s,1 min 0 s,59 min 59 s,1 h 0 min,23 h 59 min,1 d 0 h,1 d 2 h'.split(','),
  );
  assert.deepEqual([0, 0.04, 9.94, 10, 1234.5].map(formatMs), '0.0 ms,0.0 ms,9.9 ms,10 ms,1235 ms'.split(','));
});
