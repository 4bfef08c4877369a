import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ReplayWindow } from './replay-window.ts';

describe('the window against replays', () => {
  test('takes each number of a start once, in any order within its size', () => {
    const window = new ReplayWindow(64);
    assert.deepEqual(
      [100, 37, 100, 37, 99, 99].map((number) => window.take('a', number)),
      [true, true, false, false, true, false],
    );
    assert.equal(window.take('b', 100), true, 'another start counts by itself');
  });

  test('refuses what is below it, whether that was used or not', () => {
    const window = new ReplayWindow(64);
    window.take('a', 100);
    assert.deepEqual([window.take('a', 36), window.take('a', -1), window.take('a', 37)], [false, false, true]);
  });

  test('a far jump leaves no used number behind, and none can be used again', () => {
    const window = new ReplayWindow(64);
    for (let number = 1; number <= 200; number++) assert.equal(window.take('a', number), true);
    assert.equal(window.take('a', 100_000), true);
    for (let number = 99_937; number < 100_000; number++) assert.equal(window.take('a', number), true, String(number));
    for (let number = 99_900; number <= 100_000; number++)
      assert.equal(window.take('a', number), false, String(number));
  });

  test('of too many starts it forgets the one that was silent for longest', () => {
    const window = new ReplayWindow(32);
    window.take('first', 5);
    for (let start = 0; start < 19_999; start++) window.take(String(start), 1);
    window.take('first', 6);
    window.take('another', 1);
    assert.equal(window.take('first', 5), false, 'still known');
    assert.equal(window.take('0', 1), true, 'forgotten');
  });
});
