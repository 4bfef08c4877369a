import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turnstile } from './turnstile.ts';

/** A turnstile whose time passes only when told, with the turns that it has asked for. */
function open(): { turnstile: Turnstile; clock: { ms: number }; asked: { turn: () => void; ms: number }[] } {
  const clock = { ms: 1000 };
  const asked: { turn: () => void; ms: number }[] = [];
  const turnstile = new Turnstile({ now: () => clock.ms, schedule: (turn, ms) => asked.push({ turn, ms }) });
  return { turnstile, clock, asked };
}

test('work runs in its order, one piece a turn, and never at once', () => {
  const { turnstile, asked } = open();
  const done: string[] = [];
  turnstile.enter(() => done.push('first'));
  turnstile.enter(() => done.push('second'));
  assert.deepEqual(done, []);
  asked.shift()?.turn();
  assert.deepEqual(done, ['first']);
  asked.shift()?.turn();
  assert.deepEqual(done, ['first', 'second']);
  assert.equal(asked.length, 0, 'nothing waits');
});

test('behind work that took long it rests three times as long', () => {
  const { turnstile, clock, asked } = open();
  for (let i = 0; i < 3; i++) {
    turnstile.enter(() => {
      clock.ms += 5;
    });
  }
  assert.equal(asked[0]?.ms, 0);
  asked.shift()?.turn();
  assert.equal(asked[0]?.ms, 15);
  clock.ms += 25;
  asked.shift()?.turn();
  assert.equal(asked[0]?.ms, 15, 'that it rested longer is no credit');
});

test('a short piece goes behind a short one without a timer, until a millisecond is owed', () => {
  const { turnstile, clock, asked } = open();
  const rests: number[] = [];
  for (let i = 0; i < 4; i++) {
    turnstile.enter(() => {
      clock.ms += 0.15;
    });
  }
  for (let next = asked.shift(); next !== undefined; next = asked.shift()) {
    rests.push(Math.round(next.ms * 100) / 100);
    clock.ms += next.ms;
    next.turn();
  }
  assert.deepEqual(rests, [0, 0, 0, 1.35]);
});

test('who comes in a rest waits for its end, and work may bring more work', () => {
  const { turnstile, clock, asked } = open();
  const done: string[] = [];
  turnstile.enter(() => {
    clock.ms += 10;
    turnstile.enter(() => done.push('brought'));
  });
  asked.shift()?.turn();
  clock.ms += 10;
  turnstile.enter(() => done.push('later'));
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.ms, 30);
  asked.shift()?.turn();
  asked.shift()?.turn();
  assert.deepEqual(done, ['brought', 'later']);
});
