import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDefaults } from './limits.ts';
import { Liveness } from './liveness.ts';

const LIMITS = withDefaults({ silenceMs: 60_000, pongTimeoutMs: 20_000, pingIntervalMs: 30_000 });

test('a dead peer is found in the same time while its round trip is measured each second', () => {
  const liveness = new Liveness(LIMITS, true);
  liveness.start(0);
  let gone: Buffer | string | undefined;
  let nowMs = 0;
  while (typeof gone !== 'string' && nowMs < 60_000) {
    nowMs += 1000;
    liveness.measure(nowMs, () => assert.fail('nothing answers'));
    gone = liveness.tick(nowMs);
  }
  assert.deepEqual([gone, nowMs], ['no answer to a ping within 20 s', 21_000]);
});

test('a peer that answers while it is measured lives', () => {
  const liveness = new Liveness(LIMITS, true);
  liveness.start(0);
  let answers = 0;
  for (let nowMs = 1000; nowMs < 100_000; nowMs += 1000) {
    const payload = liveness.measure(nowMs, () => answers++);
    liveness.heard(nowMs);
    liveness.pong(payload, 0, payload.length);
    assert.equal(liveness.tick(nowMs), undefined);
  }
  assert.equal(answers, 99);
});

test('of two ends that notice silence soon one pings and the other one answers, and pings itself when it hears nothing', () => {
  const liveness = new Liveness(withDefaults({ silenceMs: 1500, pingIntervalMs: 2000, silentPingMs: 600 }), true);
  liveness.start(0);
  let pings = 0;
  for (let nowMs = 250; nowMs <= 20_000; nowMs += 250) {
    liveness.heard(nowMs);
    if (liveness.tick(nowMs) !== undefined) pings++;
  }
  assert.equal(pings, 10, 'only to measure the round trip');
  const sent = [20_250, 20_500, 20_750, 21_000, 21_250, 21_500].map((nowMs) => liveness.tick(nowMs));
  assert.deepEqual(
    sent.map((ping) => typeof ping),
    ['undefined', 'undefined', 'object', 'undefined', 'undefined', 'string'],
  );
  assert.equal(sent.at(-1), 'no traffic for 1.5 s');
});
