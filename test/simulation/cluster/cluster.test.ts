import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMeshFrame } from '../../../src/wire/mesh/mesh-frame.ts';
import { figuresOf } from './figures.ts';
import { idleTunnel } from './heartbeats.ts';
import { membershipFigures } from './membership-figures.ts';
import { frameOctets } from './octets.ts';
import { octetsOfModel } from './point.ts';
import { randomRun } from './random-run.ts';
import { macOf } from './sim-node.ts';
import { sitesFigures } from './sites.ts';

for (const seed of [1, 2]) {
  test(`after moves, losses, cuts and deaths 20 nodes know where 2000 stations are (seed ${seed})`, () => {
    assert.deepEqual(randomRun({ nodes: 20, stations: 2000, seed }).faults, []);
  });
}

test('100 nodes with 20 000 stations stay within 64 control octets a station and minute', () => {
  const figures = figuresOf({ nodes: 100, stations: 20_000, full: 2, seed: 1, log: () => undefined });
  assert.deepEqual(figures.faults, []);
  const membership = membershipFigures(100, 20_000, 1);
  assert.deepEqual(membership.faults, []);
  assert.ok(figures.moving < 64, `${figures.moving} octets while stations move`);
  assert.ok(figures.processDeath.goneMs < 1000 && figures.machineDeath.goneMs < 2000);
});

test('1000 nodes keep the leases of each other, and the store has at most 100 000 deliveries a second', () => {
  const { faults, deliveriesPerSecond } = membershipFigures(1000, 1_000_000, 1, 1);
  assert.deepEqual(faults, []);
  assert.ok(deliveriesPerSecond <= 100_000, `${deliveriesPerSecond} deliveries a second`);
});

test('octets are counted as those of the frames of the product', () => {
  for (const length of [0, 14, 39, 40, 1400]) {
    const payload = new Uint8Array(length);
    assert.equal(frameOctets(payload), encodeMeshFrame(macOf(1), { kind: 1, payload }).length);
  }
});

test('a network at some of the nodes costs the others nothing, and an idle tunnel some 4000 octets a minute', () => {
  const options = { nodes: 200, stations: 20_000, members: 10, seed: 1 };
  const [few, many] = [100, 200].map((networks) => sitesFigures({ ...options, networks }));
  assert.ok(few !== undefined && many !== undefined);
  assert.deepEqual([few.stationsOfNode, many.stationsOfNode], [1000, 1000]);
  assert.deepEqual([few.idle.tunnels, many.idle.tunnels], [45, 90]);
  const { octets } = idleTunnel();
  assert.ok(octets > 3500 && octets < 4500, `${octets} octets`);
  const control = many.moving + many.idle.heartbeats + many.idle.hellos;
  assert.ok(control < 64, `${control} octets a station and minute`);
});

test('one point that real processes can play too: stations cost most when they come, least at rest', () => {
  const { filling, atRest, moving } = octetsOfModel({ nodes: 6, stations: 600, moves: 60, movingMs: 10_000, seed: 1 });
  // A digest from and to each of the five others.
  assert.equal(atRest, 2 * 5 * 60);
  assert.ok(filling > moving && moving > atRest);
});
