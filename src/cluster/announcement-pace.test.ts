import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcementIntervalMs, answerDelayMs, leaseOf } from './announcement-pace.ts';

test('announcements stay below 100 000 deliveries a second, and are each second in small clusters', () => {
  for (const nodes of [1, 2, 3, 100, 316]) assert.equal(announcementIntervalMs(nodes), 1000);
  assert.equal(announcementIntervalMs(1000), 10_000);
  for (let nodes = 317; nodes < 5000; nodes += 97) {
    assert.ok((nodes ** 2 * 1000) / announcementIntervalMs(nodes) <= 100_000, `${nodes} nodes`);
  }
});

test('few nodes answer at once, many within their interval', () => {
  assert.equal(answerDelayMs(32, 0.9), 0);
  assert.equal(answerDelayMs(1000, 0.5), 5000);
});

test('a lease is three intervals, and never shorter than that of small clusters', () => {
  assert.equal(leaseOf(undefined, 3000), 3000);
  assert.equal(leaseOf(1000, 3000), 3000);
  assert.equal(leaseOf(10_000, 3000), 30_000);
  for (const wrong of ['1', -1, Number.NaN, Number.POSITIVE_INFINITY, null]) assert.equal(leaseOf(wrong, 3000), 3000);
});
