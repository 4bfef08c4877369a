import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slicesOf } from './slices.ts';

function* numbered(count: number): IterableIterator<string> {
  for (let line = 0; line < count; line++) yield `${line}\n`;
}

test('lines are made in many turns, when they take long, and none is lost', async () => {
  let nowMs = 0;
  let turns = 0;
  const loop = {
    // Each reading of the clock is 0.4 ms later than the one before.
    now: () => (nowMs += 0.4),
    turn: async () => {
      turns++;
    },
  };
  const pieces: string[] = [];
  for await (const piece of slicesOf(numbered(10_000), loop)) pieces.push(piece);
  assert.equal(pieces.join(''), [...numbered(10_000)].join(''));
  // The clock is read once in 64 lines; the second reading of a slice is at 0.8 ms, above 0.5 ms.
  assert.equal(turns, Math.floor(10_000 / 64 / 2));
  assert.equal(pieces.length, turns + 1);
});

test('what takes no time is one piece', async () => {
  const pieces: string[] = [];
  const turn = (): Promise<void> => assert.fail('a turn was waited for');
  for await (const piece of slicesOf(numbered(1000), { now: () => 0, turn })) pieces.push(piece);
  assert.deepEqual(pieces, [[...numbered(1000)].join('')]);
});

test('by default other work of the loop comes between two pieces', async () => {
  let isOver = false;
  let others = 0;
  const other = (): void => {
    others++;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  let pieces = 0;
  function* slow(): IterableIterator<string> {
    for (const line of numbered(640)) {
      const untilMs = performance.now() + 0.02;
      while (performance.now() < untilMs);
      yield line;
    }
  }
  for await (const _ of slicesOf(slow())) pieces++;
  isOver = true;
  assert.ok(pieces > 4, `${pieces} pieces`);
  assert.ok(others >= pieces - 1, `${others} turns for ${pieces} pieces`);
});
