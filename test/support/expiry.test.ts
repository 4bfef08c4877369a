import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beforeExpiry, behindExpiry } from './expiry.ts';

test('an attempt that ends behind its expiry is repeated with more time, whether it failed or not', async (t) => {
  let nowMs = 100_500;
  t.mock.method(Date, 'now', () => nowMs);
  const asked: number[] = [];
  const found = beforeExpiry(
    async (expiryS) => {
      asked.push(expiryS);
      nowMs += 5000;
      if (asked.length === 1) throw new Error('refused, since it has expired');
      return asked.length;
    },
    [4, 2, 9],
  );
  assert.deepEqual(await found, [3, 120]);
  assert.deepEqual(asked, [105, 108, 120]);
});

test('an attempt that fails in time fails', async () => {
  let attempts = 0;
  const failing = beforeExpiry(async () => {
    attempts++;
    throw new Error('refused');
  });
  await assert.rejects(failing, { message: 'refused' });
  assert.equal(attempts, 1);
});

test('a machine that is too slow for all of them is told of', async (t) => {
  let nowMs = 0;
  t.mock.method(Date, 'now', () => nowMs);
  const late = beforeExpiry(async () => {
    nowMs += 60_000;
  });
  await assert.rejects(late, { message: 'what must happen before an expiry took longer than 40 s' });
});

test('behind an expiry its second is over', async () => {
  const expiryS = Math.floor(Date.now() / 1000) - 1;
  await behindExpiry(expiryS);
  assert.ok(Date.now() > (expiryS + 1) * 1000);
});
