import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_SERVICE_RESTART } from '../../wire/websocket/close-code.ts';
import { ClosingHandshake } from './closing-handshake.ts';

/** A handshake with 1 s for the answer, and what it has done to its connection. */
function handshake(t: TestContext): { closing: ClosingHandshake; did: string[]; left: () => void } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const did: string[] = [];
  const sent: (() => void)[] = [];
  const closing = new ClosingHandshake(
    { end: () => void did.push('end'), destroy: () => void did.push('destroy') },
    {
      finish: (payload: Buffer, done: () => void) => {
        did.push(`close ${payload.readUInt16BE(0)} ${payload.subarray(2)}`);
        sent.push(done);
      },
    },
    { closeTimeoutMs: 1000 },
  );
  return { closing, did, left: () => sent.shift()?.() };
}

test('the stream ends when both Close messages have passed, in either order', (t) => {
  for (const isOursFirst of [true, false]) {
    const { closing, did, left } = handshake(t);
    closing.send(CLOSE_NORMAL, 'done');
    if (isOursFirst) left();
    closing.received(CLOSE_NORMAL);
    assert.deepEqual(did, ['close 1000 done'], 'one of them only');
    if (isOursFirst) closing.endIfDone();
    else left();
    assert.deepEqual(did, ['close 1000 done', 'end']);
    closing.over();
    t.mock.timers.tick(10_000);
    assert.deepEqual(did, ['close 1000 done', 'end']);
    t.mock.timers.reset();
  }
});

test('a peer that does not answer is cut, once, by the time of our first Close message', (t) => {
  const { closing, did, left } = handshake(t);
  closing.send(CLOSE_NORMAL, '');
  left();
  t.mock.timers.tick(999);
  closing.send(CLOSE_NORMAL, '');
  t.mock.timers.tick(1);
  assert.deepEqual(did, ['close 1000 ', 'close 1000 ', 'destroy']);
  t.mock.timers.tick(1000);
  assert.equal(did.length, 3);
});

test('what the Close message of the peer says of it', (t) => {
  for (const [code, isPeerRestarting] of [
    [CLOSE_SERVICE_RESTART, true],
    [CLOSE_GOING_AWAY, false],
    [undefined, false],
  ] as const) {
    const { closing } = handshake(t);
    assert.equal(closing.isReceived, false);
    closing.received(code);
    assert.deepEqual([closing.isReceived, closing.isPeerRestarting], [true, isPeerRestarting]);
    t.mock.timers.reset();
  }
});
