import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turnstile } from './turnstile.ts';

test('one piece passes a turn of the event loop, in order, and never at once', async () => {
  const turnstile = new Turnstile();
  const passed: number[] = [];
  for (const piece of [1, 2, 3]) turnstile.enter(() => passed.push(piece));
  const seen: string[] = [];
  for (let turn = 0; turn < 4; turn++) {
    seen.push(passed.join());
    await nextTurn();
  }
  assert.deepEqual(seen, ['', '1', '1,2', '1,2,3']);
});

test('what goes before every piece does', async () => {
  const order: string[] = [];
  const turnstile = new Turnstile(() => order.push('frames'));
  for (const piece of ['first', 'second']) turnstile.enter(() => order.push(piece));
  assert.deepEqual(order, []);
  await nextTurn();
  await nextTurn();
  assert.deepEqual(order, ['frames', 'first', 'frames', 'second']);
});

test('work that enters while other work passes waits for its own turn', async () => {
  const turnstile = new Turnstile();
  const passed: string[] = [];
  turnstile.enter(() => {
    turnstile.enter(() => passed.push('second'));
    passed.push('first');
  });
  await nextTurn();
  assert.deepEqual(passed, ['first']);
  await nextTurn();
  assert.deepEqual(passed, ['first', 'second']);
});
