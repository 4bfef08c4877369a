import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PeerDeadline } from './peer-deadline.ts';

const turn = (): Promise<void> => new Promise<void>(setImmediate);

/** A deadline of 1 s on a clock that the test sets. */
function deadline(t: TestContext): {
  limit: PeerDeadline;
  late: () => number;
  pass: (ms: number, blockedMs?: number) => void;
} {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 5000;
  t.mock.method(performance, 'now', () => nowMs);
  let calls = 0;
  const limit = new PeerDeadline(1000, () => void calls++);
  const pass = (ms: number, blockedMs = 0): void => {
    nowMs += ms + blockedMs;
    t.mock.timers.tick(ms);
  };
  return { limit, late: () => calls, pass };
}

test('a limit ends in the turn behind its time, once', async (t) => {
  const { late, pass } = deadline(t);
  pass(999);
  await turn();
  assert.equal(late(), 0);
  pass(1);
  assert.equal(late(), 0, 'the loop reads first');
  await turn();
  assert.equal(late(), 1);
  pass(100_000);
  await turn();
  assert.equal(late(), 1);
});

test('it is cancelled before its time, in its last turn, and while it is longer', async (t) => {
  for (const [beforeMs, blockedMs] of [[999], [1000], [1000, 500]] as const) {
    const { limit, late, pass } = deadline(t);
    pass(beforeMs, blockedMs);
    limit.cancel();
    pass(10_000);
    await turn();
    assert.equal(late(), 0);
    t.mock.timers.reset();
    t.mock.restoreAll();
  }
});

test('a loop that was blocked adds that time, at most the limit, and once', async (t) => {
  for (const [blockedMs, addedMs] of [
    [49, 0],
    [50, 50],
    [700, 700],
    [12_000, 1000],
  ] as const) {
    const { late, pass } = deadline(t);
    pass(1000, blockedMs);
    if (addedMs > 0) {
      pass(addedMs - 1);
      await turn();
      assert.equal(late(), 0, `${blockedMs}`);
      pass(1, 5000);
    }
    await turn();
    assert.equal(late(), 1, `${blockedMs}`);
    t.mock.timers.reset();
    t.mock.restoreAll();
  }
});
