import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turnstile } from './fair-task-queue.ts';

interface Asked {
  readonly ms: number;
  run(): void;
}

/** A turnstile whose time passes only when told, with the turns that it has asked for. */
function open(): { turnstile: Turnstile; clock: { ms: number }; asked: Asked[] } {
  const clock = { ms: 1000 };
  const asked: Asked[] = [];
  const turnstile = new Turnstile({
    now: () => clock.ms,
    schedule: (turn, settled, ms) => {
      const run = (): void => {
        turn();
        settled();
      };
      asked.push({ ms, run });
    },
  });
  return { turnstile, clock, asked };
}

test('work runs in its order, one piece a turn, and never at once', () => {
  const { turnstile, asked } = open();
  const done: string[] = [];
  turnstile.enter(() => done.push('first'));
  turnstile.enter(() => done.push('second'));
  assert.deepEqual(done, []);
  asked.shift()?.run();
  assert.deepEqual(done, ['first']);
  asked.shift()?.run();
  assert.deepEqual(done, ['first', 'second']);
  assert.equal(asked.length, 0, 'nothing waits');
});

test('one piece passes a turn of the event loop, and what goes before every piece does', async () => {
  const order: string[] = [];
  const turnstile = new Turnstile({ before: () => order.push('frames'), now: () => 0 });
  for (const piece of ['first', 'second']) turnstile.enter(() => order.push(piece));
  assert.deepEqual(order, []);
  await nextTurn();
  assert.deepEqual(order, ['frames', 'first']);
  await nextTurn();
  assert.deepEqual(order, ['frames', 'first', 'frames', 'second']);
});

test('behind work that took long it rests three times as long', () => {
  const { turnstile, clock, asked } = open();
  for (let i = 0; i < 3; i++) {
    turnstile.enter(() => {
      clock.ms += 5;
    });
  }
  assert.equal(asked[0]?.ms, 0);
  asked.shift()?.run();
  assert.equal(asked[0]?.ms, 15);
  clock.ms += 25;
  asked.shift()?.run();
  assert.equal(asked[0]?.ms, 15, 'that it rested longer is no credit');
});

test('a piece in which the thread was taken away has no rest without end', () => {
  const { turnstile, clock, asked } = open();
  turnstile.enter(() => {
    clock.ms += 4000;
  });
  turnstile.enter(() => undefined);
  asked.shift()?.run();
  assert.equal(asked[0]?.ms, 20);
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
    next.run();
  }
  assert.deepEqual(rests, [0, 0, 0, 1.35]);
});

test('a task that comes in a rest waits for its end, and a task may add tasks', () => {
  const { turnstile, clock, asked } = open();
  const done: string[] = [];
  turnstile.enter(() => {
    clock.ms += 3;
    turnstile.enter(() => done.push('brought'));
  });
  asked.shift()?.run();
  clock.ms += 1;
  turnstile.enter(() => done.push('later'));
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.ms, 9);
  asked.shift()?.run();
  asked.shift()?.run();
  assert.deepEqual(done, ['brought', 'later']);
});

test('what the work resolves counts as work', async () => {
  let nowMs = 0;
  const turnstile = new Turnstile({ now: () => nowMs });
  const began: number[] = [];
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    turnstile.enter(() => {
      void Promise.resolve().then(async () => {
        await Promise.resolve();
        nowMs += 5;
      });
    });
    turnstile.enter(() => {
      began.push(performance.now() - startedMs);
      resolve();
    });
  });
  // A timer may fire a millisecond early.
  assert.ok((began[0] ?? 0) >= 14, `the second began behind ${began[0]} ms`);
});
