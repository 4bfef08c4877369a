import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Reconnection } from './reconnection.ts';

/** Random numbers that give the longest wait, which is the ceiling. */
const longest = (): number => 1;

/** Dials and fails `tries` times; an attempt itself takes no time. @returns the waits in seconds */
function waits(reconnection: Reconnection, tries: number): number[] {
  let nowMs = 0;
  return Array.from({ length: tries }, () => {
    reconnection.dialling(nowMs);
    reconnection.failed(nowMs, 'refused', false);
    const waitMs = reconnection.nextTryMs - nowMs;
    nowMs = reconnection.nextTryMs;
    return waitMs / 1000;
  });
}

describe('the waits', () => {
  test('their ceiling doubles from 1 s to 60 s', () => {
    assert.deepEqual(waits(new Reconnection({ random: longest }), 9), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test('never overflow', () => {
    assert.equal(waits(new Reconnection({ random: longest }), 5000).at(-1), 60);
  });

  test('are drawn from the whole range up to the ceiling', () => {
    assert.deepEqual(waits(new Reconnection({ random: () => 0 }), 3), [0, 0, 0]);
    assert.deepEqual(waits(new Reconnection({ random: () => 0.5 }), 3), [0.5, 1, 2]);
  });

  test('have their bounds from the options', () => {
    assert.deepEqual(waits(new Reconnection({ minMs: 3000, maxMs: 10_000, random: longest }), 4), [3, 6, 10, 10]);
    for (const [minMs, maxMs] of [
      [0, 1],
      [2, 1],
      [-1, 1],
      [Number.NaN, 1],
      [1, Number.POSITIVE_INFINITY],
    ] as const) {
      assert.throws(() => new Reconnection({ minMs, maxMs }), RangeError);
    }
  });

  test('start anew behind a tunnel that stood, not behind one that fell at once', () => {
    const reconnection = new Reconnection({ random: longest });
    waits(reconnection, 5);
    reconnection.dialling(100_000);
    reconnection.connected(100_000);
    reconnection.lost(101_000, 'reset');
    assert.equal(reconnection.nextTryMs, 101_000 + 32_000);
    reconnection.dialling(133_000);
    reconnection.connected(133_000);
    reconnection.lost(143_000, 'reset');
    assert.equal(reconnection.nextTryMs, 143_000 + 1000);
  });

  test('are the longest one behind an answer that will last', () => {
    const reconnection = new Reconnection({ random: () => 0 });
    reconnection.dialling(0);
    reconnection.failed(0, 'wrong password', true);
    assert.equal(reconnection.nextTryMs, 60_000);
    assert.equal(reconnection.describe(0), 'next try in 60 s, sooner will hardly help: wrong password');
    reconnection.networkChanged(1000);
    assert.equal(reconnection.nextTryMs, 60_000, 'another network has no other password');
  });
});

describe('a wait that the server asks for', () => {
  function failedOnce(requestedWaitMs: number, random: number): Reconnection {
    const reconnection = new Reconnection({ random: () => random });
    reconnection.dialling(0);
    reconnection.failed(0, '503', false, requestedWaitMs);
    return reconnection;
  }

  test('is kept, and spread by the shortest wait', () => {
    assert.equal(failedOnce(10_000, 0).nextTryMs, 10_000);
    assert.equal(failedOnce(10_000, 0.5).nextTryMs, 10_500);
  });

  test('is bounded by the longest wait', () => assert.equal(failedOnce(3_600_000, 0.5).nextTryMs, 60_000));

  test('is not bounded by the longest wait, if the caller sets it', () => {
    const reconnection = new Reconnection({ minMs: 200, maxMs: 1000, random: () => 0.5 });
    reconnection.dialling(0);
    reconnection.failed(0, '503', false, 10_000, 10_000);
    assert.equal(reconnection.nextTryMs, 10_100);
    reconnection.networkChanged(5000);
    assert.equal(reconnection.nextTryMs, 10_100);
    reconnection.dialling(10_100);
    reconnection.failed(10_100, 'refused', false);
    assert.ok(reconnection.nextTryMs <= 11_100, 'forgotten behind it');
  });

  test('does not shorten one that is longer', () => assert.equal(failedOnce(0, 0.9).nextTryMs, 900));

  test('is kept when the network changes, and forgotten behind it', () => {
    const reconnection = failedOnce(10_000, 0);
    reconnection.networkChanged(5000);
    assert.equal(reconnection.nextTryMs, 10_000);
    reconnection.dialling(10_000);
    reconnection.failed(10_000, 'refused', false);
    assert.equal(reconnection.nextTryMs, 10_000, 'drawn by lot again');
  });
});

describe('a server that says that it restarts', () => {
  function told(nowMs: number, random = 1): Reconnection {
    const reconnection = new Reconnection({ random: () => random });
    reconnection.dialling(0);
    reconnection.connected(0);
    reconnection.lost(nowMs, 'restart', true);
    return reconnection;
  }

  test('is dialled within 0.4 s, again and again for 10 s, then as any other', () => {
    const reconnection = told(100);
    let nowMs = 100;
    while (nowMs < 10_000) {
      assert.equal(reconnection.nextTryMs, nowMs + 400);
      nowMs = reconnection.nextTryMs;
      reconnection.dialling(nowMs);
      reconnection.failed(nowMs, 'refused', false);
    }
    const waitsMs = Array.from({ length: 3 }, () => {
      const waitMs = reconnection.nextTryMs - nowMs;
      nowMs = reconnection.nextTryMs;
      reconnection.dialling(nowMs);
      reconnection.failed(nowMs, 'refused', false);
      return waitMs;
    });
    assert.deepEqual(waitsMs, [2000, 4000, 8000], 'what failed meanwhile was no failure');
  });

  test('draws from the whole range', () => assert.equal(told(100, 0.5).nextTryMs, 300));

  test('is dialled soon five times in a row, then as one that fails, until a tunnel has stood', () => {
    const reconnection = told(100);
    let nowMs = 100;
    const again = (stoodMs: number): number => {
      reconnection.dialling(nowMs);
      reconnection.connected(nowMs);
      nowMs += stoodMs;
      reconnection.lost(nowMs, 'restart', true);
      return reconnection.nextTryMs - nowMs;
    };
    assert.deepEqual([1, 1, 1, 1].map(again), [400, 400, 400, 400]);
    assert.ok(again(1) >= 16_000);
    assert.ok(again(9_999) >= 32_000);
    assert.equal(again(10_000), 400);
  });

  test('is no such server any more when the next tunnel is lost otherwise', () => {
    const reconnection = told(100);
    reconnection.dialling(200);
    reconnection.connected(200);
    reconnection.lost(300, 'reset');
    assert.equal(reconnection.nextTryMs, 300 + 2000);
  });

  test('and refuses for good, is dialled as seldom as any', () => {
    const reconnection = told(100);
    reconnection.dialling(200);
    reconnection.failed(200, 'wrong password', true);
    assert.equal(reconnection.nextTryMs, 60_200);
  });
});

test('the states, and what is said of them', () => {
  const reconnection = new Reconnection({ random: longest });
  const seen = (nowMs: number): unknown[] => [reconnection.state, reconnection.describe(nowMs)];
  assert.deepEqual(seen(0), ['connecting', 'dialling']);
  reconnection.dialling(0);
  reconnection.failed(10, 'refused', false);
  assert.deepEqual(seen(10), ['backoff', 'next try in 1 s: refused']);
  reconnection.dialling(1010);
  assert.deepEqual(seen(1010), ['connecting', 'trying again: refused']);
  assert.equal(reconnection.nextTryMs, Number.POSITIVE_INFINITY);
  reconnection.connected(1020);
  assert.deepEqual(seen(1020), ['up', undefined]);
  reconnection.lost(50_000, 'reset');
  assert.deepEqual(seen(50_700), ['backoff', 'next try in 1 s: reset']);
  assert.deepEqual(seen(52_000), ['backoff', 'next try in 0 s: reset']);
});

test('without reconnection the first failure, or the first loss, is the end', () => {
  const failed = new Reconnection({ isEnabled: false });
  failed.dialling(0);
  failed.failed(0, 'refused', false);
  const lost = new Reconnection({ isEnabled: false });
  lost.dialling(0);
  lost.connected(0);
  lost.lost(1_000_000, 'reset');
  for (const [reconnection, reason] of [
    [failed, 'refused'],
    [lost, 'reset'],
  ] as const) {
    reconnection.networkChanged(1_000_001);
    assert.equal(reconnection.state, 'down');
    assert.equal(reconnection.describe(0), reason);
    assert.equal(reconnection.nextTryMs, Number.POSITIVE_INFINITY);
  }
});

describe('when the network comes back', () => {
  test('the next try is at once, and the waits start anew', () => {
    const reconnection = new Reconnection({ random: longest });
    waits(reconnection, 9);
    reconnection.dialling(1_000_000);
    reconnection.failed(1_000_100, 'no route', false);
    reconnection.networkChanged(1_020_000);
    assert.equal(reconnection.nextTryMs, 1_020_000);
    reconnection.dialling(1_020_000);
    reconnection.failed(1_020_000, 'no route', false);
    assert.equal(reconnection.nextTryMs, 1_022_000);
  });

  test('however long the waits are', () => {
    const reconnection = new Reconnection({ minMs: 3_000_000, maxMs: 3_000_000, random: longest });
    reconnection.dialling(0);
    reconnection.failed(0, 'no route', false);
    reconnection.networkChanged(2000);
    assert.equal(reconnection.nextTryMs, 8000);
    reconnection.networkChanged(10_000);
    assert.equal(reconnection.nextTryMs, 8000);
  });

  test('during a try, that one counts as begun too early', () => {
    const reconnection = new Reconnection({ random: longest });
    waits(reconnection, 9);
    reconnection.dialling(1_000_000);
    reconnection.networkChanged(1_005_000);
    reconnection.failed(1_010_000, 'timed out', false);
    assert.equal(reconnection.nextTryMs, 1_010_000);
  });

  test('a wait is never made longer', () => {
    const reconnection = new Reconnection({ random: () => 0.1 });
    reconnection.dialling(0);
    reconnection.failed(0, 'refused', false);
    reconnection.networkChanged(10);
    assert.equal(reconnection.nextTryMs, 100);
  });

  test('again and again, it does not make a port dial all the time', () => {
    const reconnection = new Reconnection({ random: longest });
    let tries = 0;
    for (let nowMs = 0; nowMs < 600_000; nowMs += 100) {
      reconnection.networkChanged(nowMs);
      if (nowMs > 0 && nowMs < reconnection.nextTryMs) continue;
      tries++;
      reconnection.dialling(nowMs);
      reconnection.failed(nowMs, 'refused', false);
    }
    assert.ok(tries >= 10 && tries <= 600_000 / 4000, String(tries));
  });
});

test('whatever happens, a wait is due in time, and none is due outside of a back-off', () => {
  const happening = fc.record({
    passedMs: fc.integer({ min: 0, max: 100_000 }),
    what: fc.constantFrom('network', 'fails', 'lasting', 'up', 'lost'),
    random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  });
  fc.assert(
    fc.property(fc.array(happening), (happenings) => {
      let random = 0;
      let nowMs = 0;
      const reconnection = new Reconnection({ random: () => random });
      reconnection.dialling(nowMs);
      for (const each of happenings) {
        random = each.random;
        nowMs += each.passedMs;
        if (nowMs >= reconnection.nextTryMs) reconnection.dialling(nowMs);
        const { state } = reconnection;
        if (each.what === 'network') reconnection.networkChanged(nowMs);
        else if (each.what === 'lost' && state === 'up') reconnection.lost(nowMs, 'x');
        else if (each.what === 'up' && state === 'connecting') reconnection.connected(nowMs);
        else if (state === 'connecting') reconnection.failed(nowMs, 'x', each.what === 'lasting');
        const isWaiting = reconnection.state === 'backoff';
        assert.equal(Number.isFinite(reconnection.nextTryMs), isWaiting);
        if (isWaiting) assert.ok(reconnection.nextTryMs <= nowMs + 60_000);
        assert.equal(reconnection.describe(nowMs) === undefined, reconnection.state === 'up');
      }
    }),
  );
});
