import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUCKET_CELLS, TokenBucket, UNLIMITED } from './token-bucket.ts';

/** Whether a bucket lets something through, ms after ms. */
function opensAt(bucket: TokenBucket, fromMs: number, toMs: number): number | undefined {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs++) if (bucket.isOpen(nowMs)) return nowMs;
  return undefined;
}

test('a bucket is full at its beginning, and closed once its burst is taken', () => {
  const bucket = new TokenBucket({ perSecond: 1000, burst: 3 }, 0);
  for (let taken = 0; taken < 3; taken++) {
    assert.equal(bucket.isOpen(0), true);
    bucket.take(1);
  }
  assert.equal(bucket.isOpen(0), false, 'no token is left');
});

test('a bucket says whether it has a bound, wherever its cells stand', () => {
  const cells = new Float64Array(2 * BUCKET_CELLS);
  const [first, second] = [0, BUCKET_CELLS].map((at) => new TokenBucket(UNLIMITED, 0, cells, at)) as [
    TokenBucket,
    TokenBucket,
  ];
  assert.deepEqual([first.isLimited, second.isLimited], [false, false]);
  second.fill({ perSecond: 1, burst: 2 }, 0);
  assert.deepEqual([first.isLimited, second.isLimited], [false, true]);
  first.fill({ perSecond: 1, burst: 2 }, 0);
  second.fill(UNLIMITED, 0);
  assert.deepEqual([first.isLimited, second.isLimited], [true, false]);
});

test('what was taken above the tokens delays what follows until it is paid', () => {
  const bucket = new TokenBucket({ perSecond: 1000, burst: 1 }, 0);
  assert.equal(bucket.isOpen(0), true);
  bucket.take(11);
  assert.equal(opensAt(bucket, 0, 100), 11);
});

test('no more than the burst gathers, however long it is quiet', () => {
  const bucket = new TokenBucket({ perSecond: 1000, burst: 5 }, 0);
  assert.equal(bucket.isOpen(60_000), true);
  bucket.take(5);
  assert.equal(bucket.isOpen(60_000), false);
});

test('a clock that steps back neither takes tokens nor gives them twice', () => {
  const bucket = new TokenBucket({ perSecond: 1000, burst: 10 }, 1000);
  bucket.take(5);
  assert.equal(bucket.isOpen(500), true, 'the step costs nothing: five tokens are left');
  bucket.take(5);
  assert.equal(bucket.isOpen(1000), false, 'the time up to 1000 ms was counted before');
  assert.equal(bucket.isOpen(1001), true);
});

test('a new rate holds from now on, and what is there stays within its burst', () => {
  const bucket = new TokenBucket({ perSecond: 1000, burst: 100 }, 0);
  bucket.change({ perSecond: 10, burst: 2 });
  bucket.take(2);
  assert.equal(bucket.isOpen(0), false, 'two tokens were left of a hundred');
  assert.equal(opensAt(bucket, 0, 500), 1, 'any part of a token opens it');
  bucket.take(1);
  assert.equal(opensAt(bucket, 1, 90), undefined, 'ten a second: a token takes 100 ms');
  assert.equal(bucket.isOpen(110), true);
});
