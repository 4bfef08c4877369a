import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNodeList, isNodeList, MOST_NODES, parseNodeList } from './node-list.ts';

const isOne = (message: Buffer): boolean => isNodeList(message, 0, message.length);

test('a list of nodes is read as it was written; an empty one says that there is no other node', () => {
  for (const urls of [[], ['wss://r2.example/'], ['wss://r2.example/lab', 'ws://[2001:db8::1]:81/x?y']]) {
    const message = formatNodeList(urls);
    assert.ok(isOne(message));
    assert.equal(message[0], 0x80);
    assert.deepEqual(parseNodeList(message), urls);
  }
});

test('a list is bounded where it is written and where it is read', () => {
  const many = Array.from({ length: 20 }, (_, n) => `ws://r${n}.example/`);
  assert.deepEqual(parseNodeList(formatNodeList(many)), many.slice(0, MOST_NODES));
  const long = `ws://r1.example/${'x'.repeat(512)}`;
  assert.deepEqual(parseNodeList(formatNodeList([long, 'ws://r2.example/', 'ws://r3\n.example/'])), [
    'ws://r2.example/',
  ]);
  assert.deepEqual(parseNodeList(Buffer.from(`\x80${long}\nws://r2.example/\n\n`, 'latin1')), ['ws://r2.example/']);
  assert.deepEqual(parseNodeList(Buffer.from(`\x80${many.join('\n')}`, 'latin1')), many.slice(0, MOST_NODES));
  const longest = `ws://r1.example/${'x'.repeat(512 - 16)}`;
  assert.deepEqual(parseNodeList(formatNodeList([longest, `${longest}x`])), [longest]);
  assert.deepEqual(parseNodeList(Buffer.from(`\x80${longest}x\n${longest}`, 'latin1')), [longest]);
  assert.equal(isOne(Buffer.concat([Buffer.of(0x80), Buffer.alloc(8 * 513, 0x61)])), true);
  assert.equal(isOne(Buffer.concat([Buffer.of(0x80), Buffer.alloc(8 * 513 + 1, 0x61)])), false);
  assert.equal(isOne(Buffer.of()), false);
  assert.equal(isNodeList(Buffer.of(0x80), 0, 0), false);
  assert.equal(isOne(Buffer.of(0x81)), false);
});
