import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationOf, MAX_SUPER_FRAME_BYTES, sourceOf, vidOf } from './ethernet-frame.ts';
import { formatMacAddress } from './mac-address.ts';

const LEAD = 3;

/** The VID of a frame of 18 octets behind others, as if it were `length` octets long. */
function vidWithin(type: string, tci: string, length: number): number {
  const frame = Buffer.from(`020000000001020000000002${type}${tci}0800`, 'hex');
  return vidOf(Buffer.concat([Buffer.alloc(LEAD, 0xee), frame]), LEAD, length);
}

test('the addresses stand at the front, the destination first', () => {
  const bytes = Buffer.from('eeeeee02000000000102000000000288b5', 'hex');
  assert.equal(formatMacAddress(destinationOf(bytes, LEAD)), '02:00:00:00:00:01');
  assert.equal(formatMacAddress(sourceOf(bytes, LEAD)), '02:00:00:00:00:02');
});

test('the longest super-frame holds the longest IP packet behind two tags', () => {
  assert.equal(MAX_SUPER_FRAME_BYTES, 65_557);
});

test('the VID is the low twelve bits behind a C-TAG type, and nothing else has one', () => {
  assert.equal(vidWithin('8100', 'e123', 18), 0x123, 'priority and DEI are no part of it');
  assert.equal(vidWithin('8100', '0fff', 18), 4095);
  assert.equal(vidWithin('8100', 'e000', 18), 0, 'a priority tag');
  for (const type of ['0800', '88a8', '8101', '0100', '8000']) assert.equal(vidWithin(type, '0123', 18), 0, type);
});

test('a frame that ends before its tag does has no tag, whatever lies behind it', () => {
  assert.equal(vidWithin('8100', '0123', 16), 0x123, 'the shortest that has it');
  for (const length of [15, 14, 13]) assert.equal(vidWithin('8100', '0123', length), 0, `${length} octets`);
});
