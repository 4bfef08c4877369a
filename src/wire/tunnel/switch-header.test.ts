import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSwitchField, parseSwitchField, SWITCH_HEADER } from './switch-header.ts';
import { formatTunnelLoss, parseTunnelLoss } from './tunnel-loss.ts';

const [A, B] = ['a'.repeat(22), 'B-_9'.repeat(16)];

test('what is written is read again', () => {
  for (const isParallelAllowed of [false, true]) {
    for (const tunnelId of [undefined, B]) {
      const field = { instance: A, tunnelId, rank: 2 ** 48, isParallelAllowed };
      assert.deepEqual(parseSwitchField(formatSwitchField(field)), field);
    }
  }
});

test('parameters that are not known are passed over, and order and blanks do not matter', () => {
  assert.deepEqual(parseSwitchField(` net=blue;rank=7 ;instance=${A};; x`), {
    instance: A,
    tunnelId: undefined,
    rank: 7,
    isParallelAllowed: false,
  });
});

test('a field that makes no sense counts as not sent', () => {
  for (const text of [
    '',
    'instance',
    `instance=${A}`,
    'rank=1',
    `instance=${A}; rank=`,
    `instance=${A}; rank=-1`,
    `instance=${A}; rank=1e3`,
    `instance=${A}; rank=${'9'.repeat(16)}`,
    `instance=${A.slice(1)}; rank=1`,
    `instance=${B}x; rank=1`,
    `instance=${A}!; rank=1`,
    `instance=${A}; rank=1; tunnel=short`,
    `instance=${A}; rank=1; ${'x'.repeat(1024)}`,
  ]) {
    assert.equal(parseSwitchField(text), undefined, text);
  }
});

test('a ping that tells of a lost tunnel fits into a control frame, and no other ping does so', () => {
  assert.equal(parseTunnelLoss(formatTunnelLoss(B)), B);
  assert.ok(formatTunnelLoss(B).length <= 125);
  for (const text of ['', 'etherws lost ', 'etherws lost short', `etherws lost ${A}!`, `etherws LOST ${A}`, 'abcd']) {
    assert.equal(parseTunnelLoss(Buffer.from(text)), undefined, text);
  }
});

test('a field may have 1024 characters, and its name is that of the protocol', () => {
  assert.equal(SWITCH_HEADER, 'Etherws-Switch');
  const field = `instance=${A}; rank=1; `;
  assert.equal(parseSwitchField(field + 'x'.repeat(1024 - field.length))?.rank, 1);
  assert.equal(parseSwitchField(field + 'x'.repeat(1025 - field.length)), undefined);
});
