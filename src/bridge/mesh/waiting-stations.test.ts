import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeshStation, StationPlace } from './mesh-station.ts';
import { ANNOUNCEMENT_RATE, WaitingStations } from './waiting-stations.ts';

const place = (): StationPlace => ({ meshNode: undefined, isIsolated: false });

function stationsAt(port: StationPlace, count: number): MeshStation[] {
  return Array.from({ length: count }, () => ({ port }) as MeshStation);
}

test('ports take turns, and of each port the station that has waited longest is taken', () => {
  const [flood, calm] = [place(), place()];
  const [many, few] = [stationsAt(flood, 50), stationsAt(calm, 3)];
  const waiting = new WaitingStations();
  for (const station of [...many, ...few]) waiting.add(station);
  assert.deepEqual(waiting.take(5, 0), [many[0], few[0], many[1], few[1], many[2]]);
  assert.equal(waiting.size, 48);
  assert.deepEqual(waiting.take(100, 0), [many[3], few[2], ...many.slice(4)]);
  assert.equal(waiting.size, 0);
  assert.deepEqual(waiting.take(1, 0), []);
});

test('a station that waits twice is announced once, and one that has gone is not', () => {
  const port = place();
  const [one, other] = stationsAt(port, 2) as [MeshStation, MeshStation];
  const waiting = new WaitingStations();
  for (const station of [one, one, other]) waiting.add(station);
  assert.equal(waiting.size, 2);
  assert.equal(waiting.remove(one, place()), false, 'it does not wait at that port');
  assert.equal(waiting.remove(one, port), true);
  assert.equal(waiting.remove(one, port), false);
  assert.equal(waiting.size, 1);
  assert.deepEqual(waiting.take(10, 0), [other]);
  assert.equal(waiting.remove(other, port), false);
  waiting.add(one);
  assert.deepEqual(waiting.take(10, 0), [one]);
});

test('no more stations than the rate allows are taken, of however many ports', () => {
  const waiting = new WaitingStations();
  for (const port of [place(), place(), place()]) for (const station of stationsAt(port, 1000)) waiting.add(station);
  assert.equal(waiting.take(5000, 1000).length, ANNOUNCEMENT_RATE.burst);
  assert.equal(waiting.take(5000, 1000).length, 0);
  assert.equal(waiting.take(5000, 1100).length, ANNOUNCEMENT_RATE.perSecond / 10);
  assert.equal(waiting.size, 3000 - 2200);
});
