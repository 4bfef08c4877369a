import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPingFiller, pingFiller } from './ping-filler.ts';

const ADDRESS = Buffer.from('02aabbccddee', 'hex');
const LEAD = 7;
/** Two addresses, a type, and the text. */
const LEAST_BYTES = 14 + 23;

function isFiller(frame: Buffer, length = frame.length): boolean {
  return isPingFiller(Buffer.concat([Buffer.alloc(LEAD, 0x88), frame]), LEAD, length);
}

test('a filler is a frame of 60 octets from an address to itself, as the protocol has it', () => {
  const text = Buffer.from('etherws: follows a ping').toString('hex');
  const expected = Buffer.concat([Buffer.from(`02aabbccddee02aabbccddee88b5${text}`, 'hex')], 60);
  assert.deepEqual(pingFiller(ADDRESS), expected);
});

test('a filler is recognised by its addresses, type and text; what is behind them does not count', () => {
  const filler = pingFiller(ADDRESS);
  assert.equal(isFiller(filler), true);
  for (let at = 0; at < filler.length; at++) {
    const other = Buffer.from(filler);
    (other[at] as number) ^= 1;
    assert.equal(isFiller(other), at >= LEAST_BYTES, `octet ${at} is another one`);
  }
  for (let length = 14; length <= filler.length; length++) {
    assert.equal(isFiller(filler, length), length >= LEAST_BYTES, `${length} octets`);
  }
});
