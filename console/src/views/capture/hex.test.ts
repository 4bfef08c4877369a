import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexLines } from './hex.ts';

test('16 octets a line, the marked ones apart', () => {
  const bytes = Buffer.from(`0123456789abcdef\u00ffg`, 'latin1');
  assert.deepEqual(hexLines(bytes, 14, 17), [
    {
      offset: '0000',
      hex: ['30 31 32 33 34 35 36 37 38 39 61 62 63 64', '65 66', ''],
      text: ['0123456789abcd', 'ef', ''],
    },
    { offset: '0010', hex: ['', 'ff', '67'], text: ['', '·', 'g'] },
  ]);
  assert.deepEqual(hexLines(new Uint8Array(), 0, 0), []);
});
