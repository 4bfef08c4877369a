import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Port } from '../port.ts';
import type { PortDetails } from '../port-details.ts';
import { PortCost, TunnelCost } from './path-cost.ts';

const MINUTE_MS = 60_000;

test('the cost doubles with the round trip, from 20 000 at 1 ms', () => {
  for (const [roundTripMs, expected] of [
    [0.05, 20_000],
    [1, 20_000],
    [1.1, 40_000],
    [2, 40_000],
    [20, 640_000],
    [128, 2_560_000],
    [60_000, 163_840_000],
  ] as const) {
    const cost = new TunnelCost();
    assert.equal(cost.cost, 200_000);
    assert.equal(cost.measured(roundTripMs, 0), true);
    assert.equal(cost.cost, expected, `${roundTripMs} ms`);
  }
});

test('queues, a little more delay, and a change within a minute do not change it', () => {
  const cost = new TunnelCost();
  cost.measured(8, 0);
  assert.equal(cost.cost, 160_000);
  for (let measurement = 1; measurement < 8; measurement++) {
    assert.equal(cost.measured(500, measurement * MINUTE_MS), false, 'the least of eight counts');
  }
  assert.equal(cost.measured(11.9, 8 * MINUTE_MS), false, 'less than half as much again');
  for (let measurement = 9; measurement < 15; measurement++) cost.measured(500, measurement * MINUTE_MS);
  assert.equal(cost.cost, 160_000);
  cost.measured(500, 15 * MINUTE_MS);
  cost.measured(500, 16 * MINUTE_MS);
  assert.equal(cost.cost, 20_000 * 2 ** 9);
  assert.equal(cost.measured(0.5, 16 * MINUTE_MS + 59_999), false, 'within a minute');
  assert.equal(cost.measured(0.5, 17 * MINUTE_MS), true);
  assert.equal(cost.cost, 20_000);
});

test('behind a new connection the former round trips do not count', () => {
  const cost = new TunnelCost();
  cost.measured(1, 0);
  cost.forget();
  assert.equal(cost.cost, 20_000);
  assert.equal(cost.measured(100, MINUTE_MS), true);
  assert.equal(cost.cost, 20_000 * 2 ** 7);
});

test('the cost changes from half as much beyond the bounds of its step on', () => {
  for (const [first, least, isChanged] of [
    [8, 12, false],
    [8, 12.01, true],
    [8, 4, false],
    [8, 3.5, false],
    [8, 8 / 2 / 1.5, false],
    [8, 2.66, true],
    // There is no step below the first one, and none above the last one.
    [0.5, 0.01, false],
    [60_000, 9000, false],
    [9000, 60_000, false],
  ] as const) {
    const cost = new TunnelCost();
    cost.measured(first, 0);
    cost.forget();
    assert.equal(cost.measured(least, MINUTE_MS), isChanged, `${first} ms, then ${least} ms`);
  }
});

test('a device costs as 10 Gbit/s; a tunnel by each new measurement, and one to another peer anew', () => {
  const cost = new PortCost();
  const look = (details: unknown, atMs = 0): boolean =>
    cost.look({ details: details as PortDetails } as unknown as Port, atMs);
  const tunnel = (roundTripMs: number | undefined, peer = 'a:1') => ({
    kind: 'tunnel',
    connection: { roundTripMs, peer },
  });
  assert.equal(cost.cost, 2000, 'before it is known');
  assert.deepEqual([look({ kind: 'device' }), cost.cost], [false, 2000]);
  assert.deepEqual([look({ kind: 'tunnel', connection: undefined }), cost.cost], [false, 200_000]);
  assert.deepEqual([look(tunnel(undefined)), cost.cost], [false, 200_000]);
  assert.deepEqual([look(tunnel(2)), cost.cost], [true, 40_000]);
  assert.equal(look(tunnel(2), MINUTE_MS), false, 'the same measurement');
  assert.deepEqual(
    [look(tunnel(20, 'b:1'), MINUTE_MS), cost.cost],
    [true, 640_000],
    'the least of the former peer is forgotten',
  );
});

test('a tunnel keeps the least of its measurements while its peer stays, and each measurement counts once', () => {
  const cost = new PortCost();
  const look = (roundTripMs: number | undefined, atMs: number, peer = 'a:1'): boolean => {
    const details = { kind: 'tunnel', connection: { roundTripMs, peer } };
    return cost.look({ details: details as PortDetails } as unknown as Port, atMs);
  };
  look(8, 0);
  for (let minute = 1; minute <= 20; minute++) {
    assert.equal(look(500, minute * MINUTE_MS), false, 'the same measurement does not displace another one');
  }
  assert.equal(look(undefined, 21 * MINUTE_MS), false);
  assert.equal(look(501, 22 * MINUTE_MS), false, 'the least of the same peer counts');
  assert.equal(cost.cost, 160_000);
  assert.equal(look(502, 23 * MINUTE_MS, 'b:1'), true);
  assert.equal(cost.cost, 20_000 * 2 ** 9);
});
