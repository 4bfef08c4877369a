import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closePayload, describeClose, isSendableCloseCode } from './close-code.ts';

test('a peer may send registered codes, and those for libraries and applications', () => {
  // RFC 6455, 7.4, and the registry that it began: 1004 is reserved, 1005, 1006 and 1015 are never sent.
  const ranges = [
    [1000, 1003],
    [1007, 1014],
    [3000, 4999],
  ] as const;
  for (let code = 0; code < 0x1_0000; code++) {
    const isExpected = ranges.some(([from, to]) => code >= from && code <= to);
    assert.equal(isSendableCloseCode(code), isExpected, String(code));
  }
});

test('a close is described by its code, the name of it and the words of the peer', () => {
  const names = [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].map((code) =>
    describeClose(code, ''),
  );
  assert.deepEqual(names, [
    '1000 normal closure',
    '1001 going away',
    '1002 protocol error',
    '1003 unsupported data',
    '1005 no code given',
    '1007 invalid payload',
    '1008 policy violation',
    '1009 message too big',
    '1010 extension missing',
    '1011 internal error',
    '1012 service restart',
    '1013 try again later',
    '1014 bad gateway',
  ]);
  assert.equal(describeClose(4001, ''), '4001');
  assert.equal(describeClose(1001, 'bye'), '1001 going away (bye)');
});

test('a close payload is the code and the words in UTF-8', () => {
  assert.deepEqual(closePayload(1008, 'é'), Buffer.from('03f0c3a9', 'hex'));
  assert.deepEqual(closePayload(1000, ''), Buffer.from('03e8', 'hex'));
});
