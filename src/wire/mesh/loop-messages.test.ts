import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeLoopFound,
  decodeLoopHeard,
  decodeLoopHello,
  decodeLoopShut,
  encodeLoopFound,
  encodeLoopHeard,
  encodeLoopShut,
  instanceText,
  type LoopEnd,
} from './loop-messages.ts';

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const NONCE = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
const INSTANCE = Uint8Array.of(0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff);
const END: LoopEnd = { port: 0x0102_0304, ageMs: 1.5, shut: 'other' };
/** The port, the age as a double of IEEE 754, and the place of `other` in the list. */
const END_OCTETS = '01020304' + '3ff8000000000000' + '02';

/** A copy that stands behind other octets, as a message of a batch does. */
function behindOthers(octets: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.alloc(3, 0x77), octets])).subarray(3);
}

test('the messages of loops, octet by octet', () => {
  const heard = { probed: 0x0a0b_0c0d, nonce: NONCE, end: END };
  assert.equal(hex(encodeLoopHeard(heard)), `0a0b0c0d${hex(NONCE)}${END_OCTETS}`);
  assert.deepEqual(decodeLoopHeard(behindOthers(encodeLoopHeard(heard))), heard);
  const found = { by: 7, end: END };
  assert.equal(hex(encodeLoopFound(found)), `00000007${END_OCTETS}`);
  assert.deepEqual(decodeLoopFound(behindOthers(encodeLoopFound(found))), found);
  assert.equal(hex(encodeLoopShut(1, 0xffff_fffe)), '00000001fffffffe');
  assert.deepEqual(decodeLoopShut(behindOthers(encodeLoopShut(1, 0xffff_fffe))), { port: 1, other: 0xffff_fffe });
  assert.equal(instanceText(INSTANCE), '00010203fcfdfeff');
  assert.equal(decodeLoopHello(behindOthers(INSTANCE)), '00010203fcfdfeff');
});

test('messages of loops that are cut are none, and of longer ones the rest is passed over', () => {
  const heard = encodeLoopHeard({ probed: 1, nonce: NONCE, end: END });
  for (const [decode, whole] of [
    [decodeLoopHeard, heard],
    [decodeLoopFound, encodeLoopFound({ by: 1, end: END })],
    [decodeLoopShut, encodeLoopShut(1, 2)],
    [decodeLoopHello, INSTANCE],
  ] as const) {
    const read = decode(whole);
    assert.notEqual(read, undefined);
    for (let length = 0; length < whole.length; length++) assert.equal(decode(whole.subarray(0, length)), undefined);
    assert.deepEqual(decode(new Uint8Array([...whole, 9])), read);
  }
});

test('each state of a port in a loop is told, and an unknown one is of another protection', () => {
  const states = ['no', 'loop', 'other', 'off'] as const;
  const octets = states.map((shut) => encodeLoopFound({ by: 1, end: { ...END, shut } }));
  assert.deepEqual(
    octets.map((each) => each.at(-1)),
    [0, 1, 2, 3],
  );
  assert.deepEqual(
    octets.map((each) => decodeLoopFound(each)?.end.shut),
    states,
  );
  const unknown = Uint8Array.from(octets[0] as Uint8Array);
  unknown[unknown.length - 1] = 4;
  assert.equal(decodeLoopFound(unknown)?.end.shut, 'other');
});
