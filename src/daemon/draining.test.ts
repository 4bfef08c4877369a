import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortNumber } from '../bridge/bridge-port.ts';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { SILENT } from '../observability/logger.ts';
import { redirectTo } from '../ports/tunnel/accept/server-refusals.ts';
import { Draining } from './draining.ts';

const OTHER = {
  node: 'b',
  url: 'wss://b.example/',
  load: { tunnels: 1, mostTunnels: 100, loopDelayMs: 0 },
  isDraining: false,
} as unknown as NodeAnnouncement;

/** A clock that goes on by pauses only. */
function virtualClock() {
  const clock = {
    ms: 0,
    onPause: (): void => undefined,
    nowMs: () => clock.ms,
    pause: async (ms: number) => {
      clock.ms += ms;
      clock.onPause();
      await new Promise(setImmediate);
    },
  };
  return clock;
}

function fixture({ others = [OTHER], tunnels = 0, redirects = true } = {}) {
  const clock = virtualClock();
  const cluster = {
    isDraining: false,
    others: () => others,
    setDraining: async (on: boolean) => {
      cluster.isDraining = on;
    },
  };
  const numbers = Array.from({ length: tunnels }, (_, index) => (index + 1) as PortNumber);
  const phases: boolean[] = [];
  const roaming = {
    numbers,
    flush: () => Promise.resolve(),
    handOver: (number: PortNumber) => {
      numbers.splice(numbers.indexOf(number), 1);
      return Promise.resolve();
    },
  };
  const onChange = (isDraining: boolean): void => void phases.push(isDraining);
  const draining = new Draining({
    cluster,
    roaming,
    redirects,
    onChange,
    tunnels: () => tunnels,
    clock,
    logger: SILENT,
  });
  return { draining, cluster, numbers, phases, clock };
}

const NEW = { asked: 'lab', follows: true, isReturning: false };

test('only new clients that follow are sent to a node with a lower load', () => {
  const { draining } = fixture({ tunnels: 20 });
  assert.deepEqual(draining.divert(NEW), redirectTo('wss://b.example/lab'));
  assert.equal(draining.divert({ ...NEW, follows: false }), undefined);
  assert.equal(draining.divert({ ...NEW, isReturning: true }), undefined);
  assert.equal(fixture({ tunnels: 20, redirects: false }).draining.divert(NEW), undefined);
  assert.equal(fixture({ tunnels: 10 }).draining.divert(NEW), undefined);
});

test('a node that is drained sends all clients away, hands all clients over, and takes them again', async () => {
  const { draining, numbers, phases, cluster } = fixture({ tunnels: 20 });
  assert.equal((await draining.drain()).draining, true);
  assert.equal(draining.divert({ ...NEW, isReturning: true })?.status, 307);
  const refused = draining.divert({ ...NEW, follows: false });
  assert.equal(refused?.status, 503);
  assert.equal(refused.headers?.['Retry-After'], '1');
  await draining.finish(10_000);
  assert.deepEqual(numbers, []);
  assert.deepEqual(await draining.end(), { draining: false, tunnels: 0 });
  assert.deepEqual(phases, [true, false]);
  assert.equal(cluster.isDraining, false);
});

test('a node is not drained where no other one takes clients', async () => {
  const { draining, numbers, cluster } = fixture({ others: [], tunnels: 3 });
  await assert.rejects(draining.drain(), { code: 'REQUEST_REFUSED' });
  await draining.finish(10_000);
  assert.equal(cluster.isDraining, false);
  assert.equal(numbers.length, 3);
});

const BUSY: NodeAnnouncement = { ...OTHER, isDraining: true };

test('a node that stops waits for another one that takes clients again', async () => {
  const others = [BUSY];
  const { draining, numbers, clock } = fixture({ others, tunnels: 3 });
  clock.onPause = () => {
    if (clock.ms >= 2000) others[0] = OTHER;
  };
  await draining.finish(5000);
  assert.deepEqual(numbers, []);
  assert.ok(clock.ms >= 2000 && clock.ms <= 5000, `${clock.ms} ms`);
});

test('a node that stops waits for 3 s at most, and without clients or other nodes not at all', async () => {
  for (const [others, tunnels, mostMs] of [
    [[BUSY], 3, 3100],
    [[BUSY], 0, 0],
    [[], 3, 0],
    [
      [
        { ...BUSY, url: 'ws+unix:@worker' },
        { ...OTHER, url: null },
      ],
      3,
      0,
    ],
  ] as const satisfies (readonly [readonly NodeAnnouncement[], number, number])[]) {
    const { draining, numbers, clock, cluster } = fixture({ others: [...others], tunnels });
    await draining.finish(5000);
    assert.equal(numbers.length, tunnels, 'clients that no other node takes stay to the end');
    assert.ok(clock.ms <= mostMs, `${clock.ms} ms`);
    assert.equal(cluster.isDraining, false);
  }
});

test('a drained node keeps its clients while no other one takes them, and hands them over when one does', async () => {
  const others = [OTHER];
  const { draining, numbers, clock } = fixture({ others, tunnels: 20 });
  await draining.drain();
  others[0] = BUSY;
  const left = numbers.length;
  for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
  assert.ok(left > 0 && numbers.length >= left - 8, `${numbers.length} of ${left} clients`);
  others[0] = OTHER;
  await draining.finish(10_000);
  assert.deepEqual(numbers, []);
  assert.ok(clock.ms < 10_000);
});

test('the command waits a second for the news that another node takes clients', async () => {
  const others = [BUSY];
  const { draining, clock } = fixture({ others });
  await assert.rejects(draining.drain(), { code: 'REQUEST_REFUSED' });
  assert.ok(clock.ms >= 1000 && clock.ms < 1200, `${clock.ms} ms`);
  clock.onPause = () => {
    others[0] = OTHER;
  };
  assert.equal((await draining.drain()).draining, true);
  await draining.end();
});

test('a drained node takes returning clients while no other node takes any, and hands them over when one does', async () => {
  const others = [OTHER];
  const { draining, numbers } = fixture({ others });
  await draining.drain();
  for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
  others.length = 0;
  for (const follows of [true, false]) {
    assert.equal(draining.divert({ ...NEW, follows, isReturning: true }), undefined);
    assert.equal(draining.divert({ ...NEW, follows })?.status, 503, 'a new one');
  }
  // Returned, or of a handshake that was under way.
  numbers.push(1 as PortNumber);
  for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
  assert.equal(numbers.length, 1);
  others.push(OTHER);
  assert.equal(draining.divert({ ...NEW, isReturning: true })?.status, 307);
  for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
  assert.deepEqual(numbers, []);
  await draining.end();
});
