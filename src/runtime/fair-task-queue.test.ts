import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { within } from '../../test/support/waits.ts';
import { FairTaskQueue } from './fair-task-queue.ts';

interface Asked {
  readonly ms: number;
  run(): void;
}

/** A tasks whose time passes only when told, with the turns that it has asked for. */
function open(): { tasks: FairTaskQueue; clock: { ms: number }; asked: Asked[] } {
  const clock = { ms: 1000 };
  const asked: Asked[] = [];
  const tasks = new FairTaskQueue({
    now: () => clock.ms,
    schedule: (turn, settled, ms) => {
      const run = (): void => {
        turn();
        settled();
      };
      asked.push({ ms, run });
    },
  });
  return { tasks, clock, asked };
}

test('work runs in its order, one piece a turn, and never at once', () => {
  const { tasks, asked } = open();
  const done: string[] = [];
  tasks.add(() => done.push('first'));
  tasks.add(() => done.push('second'));
  assert.deepEqual(done, []);
  asked.shift()?.run();
  assert.deepEqual(done, ['first']);
  asked.shift()?.run();
  assert.deepEqual(done, ['first', 'second']);
  assert.equal(asked.length, 0, 'nothing waits');
});

test('one piece passes a turn of the event loop, and what goes before every piece does', async () => {
  const order: string[] = [];
  const tasks = new FairTaskQueue({ before: () => order.push('frames'), now: () => 0 });
  for (const piece of ['first', 'second']) tasks.add(() => order.push(piece));
  assert.deepEqual(order, []);
  await nextTurn();
  assert.deepEqual(order, ['frames', 'first']);
  await nextTurn();
  assert.deepEqual(order, ['frames', 'first', 'frames', 'second']);
});

test('behind work that took long it rests three times as long', () => {
  const { tasks, clock, asked } = open();
  for (let i = 0; i < 3; i++) {
    tasks.add(() => {
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
  const { tasks, clock, asked } = open();
  tasks.add(() => {
    clock.ms += 4000;
  });
  tasks.add(() => undefined);
  asked.shift()?.run();
  assert.equal(asked[0]?.ms, 20);
});

test('a short piece goes behind a short one without a timer, until a millisecond is owed', () => {
  const { tasks, clock, asked } = open();
  const rests: number[] = [];
  for (let i = 0; i < 4; i++) {
    tasks.add(() => {
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
  const { tasks, clock, asked } = open();
  const done: string[] = [];
  tasks.add(() => {
    clock.ms += 3;
    tasks.add(() => done.push('brought'));
  });
  asked.shift()?.run();
  clock.ms += 1;
  tasks.add(() => done.push('later'));
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.ms, 9);
  asked.shift()?.run();
  asked.shift()?.run();
  assert.deepEqual(done, ['brought', 'later']);
});

test('what the work resolves counts as work', async () => {
  let nowMs = 0;
  const tasks = new FairTaskQueue({ now: () => nowMs });
  const began: number[] = [];
  const startedMs = performance.now();
  const second = new Promise<void>((resolve) => {
    tasks.add(() => {
      void Promise.resolve().then(async () => {
        await Promise.resolve();
        nowMs += 5;
      });
    });
    tasks.add(() => {
      began.push(performance.now() - startedMs);
      resolve();
    });
  });
  await within(second, 'start of the second task');
  // A timer may fire a millisecond early.
  assert.ok((began[0] ?? 0) >= 14, `the second began behind ${began[0]} ms`);
});
