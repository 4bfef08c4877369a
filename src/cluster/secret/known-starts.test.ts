import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from '../../../test/support/waits.ts';
import { KnownStarts } from './known-starts.ts';

test('a message that was withheld is not taken once a later one was heard, and a start that was silent is asked again', async () => {
  let nowMs = 0;
  let floor = 0;
  let asked = 0;
  const starts = new KnownStarts(
    async () => {
      asked++;
      return floor;
    },
    () => nowMs,
  );
  const isTaken = (number: number): Promise<boolean> =>
    within(new Promise((resolve) => starts.check('a', number, resolve)), 'the verdict');

  assert.equal(await isTaken(1), true);
  assert.equal(await isTaken(3), true);
  nowMs += 1000;
  assert.equal(await isTaken(2), true, 'messages overtake each other');
  nowMs += 9500;
  assert.equal(await isTaken(2), false, 'the first one after a pause');
  for (let number = 5; number < 16; number++) {
    nowMs += 1000;
    assert.equal(await isTaken(number), true);
  }
  assert.equal(await isTaken(4), false);
  assert.equal(asked, 1);

  // All of a day was withheld. The node says that what it has sent before is old.
  nowMs += 86_400_000;
  floor = 5000;
  assert.equal(await isTaken(16), false);
  assert.equal(await isTaken(5001), true);
  assert.equal(asked, 2);
});
