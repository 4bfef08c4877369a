import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateAllowance } from './ingress-policy.ts';

/** How many frames conform within so many seconds, when one is tried each millisecond. */
function conforming(allowance: RateAllowance, fromMs: number, seconds: number): number {
  let frames = 0;
  for (let nowMs = fromMs; nowMs < fromMs + seconds * 1000; nowMs++)
    if (allowance.spend(1, 480, false, nowMs)) frames++;
  return frames;
}

test('a switch uses its share of the rates that it has with others, also behind a change of the rules', () => {
  const allowance = new RateAllowance();
  allowance.change({ frames: { perSecond: 100, burst: 10 } }, 0);
  assert.ok(Math.abs(conforming(allowance, 0, 10) - 1010) <= 2);
  allowance.setShare(0.25);
  assert.ok(Math.abs(conforming(allowance, 10_000, 10) - 250) <= 3);
  allowance.change({ frames: { perSecond: 200, burst: 10 } }, 20_000);
  assert.ok(Math.abs(conforming(allowance, 20_000, 10) - 500) <= 3);
  allowance.setShare(1);
  assert.ok(conforming(allowance, 30_000, 10) >= 1990);
});

test('a share is never nothing', () => {
  const allowance = new RateAllowance();
  allowance.setShare(1 / 1000);
  allowance.change({ frames: { perSecond: 100, burst: 10 } }, 0);
  assert.ok(conforming(allowance, 0, 30) >= 3);
});

test('a switch uses its share of the burst as well', () => {
  const allowance = new RateAllowance();
  allowance.change({ frames: { perSecond: 10, burst: 80 } }, 0);
  allowance.setShare(0.25);
  const atOnce = Array.from({ length: 100 }, () => allowance.spend(1, 480, false, 60_000));
  assert.equal(atOnce.filter((isTaken) => isTaken).length, 20);
});
