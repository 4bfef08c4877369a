import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onceClockPasses } from './clock-deadline.ts';

test('it calls when the time has come, within half a minute also when the clock was set forward, and once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const calls: string[] = [];
  onceClockPasses(1_010_000, () => calls.push('soon'));
  onceClockPasses(1_000_000 + 90 * 24 * 3_600_000, () => calls.push('in months'));
  const callOff = onceClockPasses(1_020_000, () => calls.push('called off'));
  t.mock.timers.tick(1);
  t.mock.timers.tick(9_998);
  assert.deepEqual(calls, []);
  callOff();
  t.mock.timers.tick(30_000);
  assert.deepEqual(calls, ['soon']);
  t.mock.timers.setTime(1_000_000 + 91 * 24 * 3_600_000);
  t.mock.timers.tick(30_000);
  assert.deepEqual(calls, ['soon', 'in months']);
});

test('what has passed already is told behind the call, not in it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  let calls = 0;
  onceClockPasses(1, () => calls++);
  assert.equal(calls, 0);
  t.mock.timers.tick(1);
  assert.equal(calls, 1);
});
