import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeat } from './heartbeat.ts';

test('a process that was stopped does not count its own absence', () => {
  let clockMs = 0;
  const heartbeat = new Heartbeat(1000, () => clockMs);
  const beats: number[] = [];
  const member = { tick: (nowMs: number): void => void beats.push(nowMs) };
  heartbeat.add(member);
  for (const passedMs of [1000, 1100, 3_600_000, 1000]) {
    clockMs += passedMs;
    heartbeat.tick();
  }
  assert.deepEqual(beats, [1000, 2100, 4100, 5100]);
  heartbeat.remove(member);
  heartbeat.tick();
  assert.equal(beats.length, 4);
});

test('one timer serves all members, and none runs without them', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const heartbeat = new Heartbeat();
  const members = Array.from({ length: 100 }, () => ({ tick: (): void => undefined }));
  for (const member of members) heartbeat.add(member);
  assert.ok(timers() <= before + 1);
  for (const member of members) heartbeat.remove(member);
  assert.equal(timers(), before);
});
