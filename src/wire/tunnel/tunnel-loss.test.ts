import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTunnelLoss, parseTunnelLoss } from './tunnel-loss.ts';

test('the loss of a tunnel is told by the words of the protocol and its id', () => {
  for (const id of ['a'.repeat(22), 'Z9_-'.repeat(16)]) {
    const payload = formatTunnelLoss(id);
    assert.deepEqual(payload, Buffer.from(`etherws lost ${id}`));
    assert.equal(parseTunnelLoss(payload), id);
  }
});

test('any other ping tells of no loss', () => {
  const id = 'a'.repeat(22);
  const others = [
    '',
    'etherws lost ',
    `etherws lost ${'a'.repeat(21)}`,
    `etherws lost ${'a'.repeat(65)}`,
    `etherws lost ${id}\n`,
    `etherws lost ${id}=`,
    `etherws LOST ${id}`,
    `${' '.repeat(13)}${id}`,
    `x etherws lost ${id}`,
  ];
  for (const other of others) assert.equal(parseTunnelLoss(Buffer.from(other)), undefined, other);
});
