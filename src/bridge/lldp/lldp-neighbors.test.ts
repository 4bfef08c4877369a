import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzSeed, Random } from '../../../test/support/random.ts';
import { MemoryPort } from '../../ports/memory-port.ts';
import { CHASSIS, type Lldpdu, PORT } from '../../wire/lldp/lldpdu.ts';
import { BridgePort, type PortNumber } from '../bridge-port.ts';
import { type LldpNeighbor, LldpNeighbors, MAX_NEIGHBORS_OF_PORT } from './lldp-neighbors.ts';

/** More stations than a port may have as neighbours. */
const STATIONS = MAX_NEIGHBORS_OF_PORT + 8;

function said(station: number, ttlSeconds: number, systemName: string): Lldpdu {
  return {
    chassisId: { subtype: CHASSIS.local, octets: Uint8Array.of(station) },
    portId: { subtype: PORT.local, octets: Uint8Array.of(1) },
    ttlSeconds,
    systemName,
  };
}

/** What the model knows of a neighbour. */
interface Known {
  readonly port: number;
  readonly station: number;
  systemName: string;
  readonly sinceMs: number;
  changedMs: number;
  expiresMs: number;
}

function facts({ port, lldpdu, sinceMs, changedMs, expiresMs }: LldpNeighbor): Known {
  const { chassisId, systemName = '' } = lldpdu;
  return { port: port.number, station: chassisId.octets[0] as number, systemName, sinceMs, changedMs, expiresMs };
}

/** A plain list, which is searched from its begin for each question. */
class Model {
  list: Known[] = [];

  of(port: number): Known[] {
    return this.list.filter((known) => known.port === port);
  }

  find(port: number, station: number): Known | undefined {
    return this.of(port).find((known) => known.station === station);
  }

  take(port: number, station: number, ttlSeconds: number, systemName: string, nowMs: number): string {
    const expiresMs = nowMs + ttlSeconds * 1000;
    const known = this.find(port, station);
    if (known === undefined) {
      if (this.of(port).length === MAX_NEIGHBORS_OF_PORT) return 'full';
      this.list.push({ port, station, systemName, sinceMs: nowMs, changedMs: nowMs, expiresMs });
      return 'added';
    }
    known.expiresMs = expiresMs;
    if (known.systemName === systemName) return 'refreshed';
    known.systemName = systemName;
    known.changedMs = nowMs;
    return 'changed';
  }

  /** @returns what was removed */
  remove(isGone: (known: Known) => boolean): Known[] {
    const gone = this.list.filter(isGone);
    this.list = this.list.filter((known) => !isGone(known));
    return gone;
  }
}

const byPlace = (one: Known, other: Known): number => one.port - other.port || one.station - other.station;

test('a port without neighbours has none to forget', () => {
  const neighbors = new LldpNeighbors();
  const port = new BridgePort(1 as PortNumber, new MemoryPort());
  assert.equal(neighbors.leave(port, said(1, 0, '')), undefined);
  assert.deepEqual([neighbors.forget(port), [...neighbors.of(port)]], [[], []]);
});

test('a neighbour that says a shorter time anew expires at that time', () => {
  const neighbors = new LldpNeighbors();
  const port = new BridgePort(1 as PortNumber, new MemoryPort());
  for (const ttlSeconds of [100, 2]) neighbors.take(port, said(1, ttlSeconds, 'one'), Buffer.from('one'), 0);
  const aged: number[] = [];
  for (const nowMs of [1999, 2000]) neighbors.age(nowMs, () => aged.push(nowMs));
  assert.deepEqual(aged, [2000]);
});

test('neighbours that come, change, leave and expire are those of a plain list', () => {
  const random = new Random(fuzzSeed());
  const ports = [1, 2, 3].map((number) => new BridgePort(number as PortNumber, new MemoryPort()));
  const neighbors = new LldpNeighbors();
  const model = new Model();
  const seen = new Set<string>();
  let nowMs = 0;
  for (let step = 0; step < 2000; step++) {
    nowMs += random.below(50);
    const port = random.pick(ports);
    const { number } = port;
    const station = random.below(STATIONS);
    const ttlSeconds = random.between(1, 8);
    const systemName = random.pick(['one', 'two']);
    const lldpdu = said(station, ttlSeconds, systemName);
    const what = random.below(200);
    if (what === 0) {
      assert.deepEqual(
        neighbors.forget(port).map(facts),
        model.remove((known) => known.port === number),
      );
    } else if (what < 10) {
      const left = neighbors.leave(port, lldpdu);
      const [expected] = model.remove((known) => known.port === number && known.station === station);
      assert.deepEqual(left && facts(left), expected, `step ${step}`);
    } else if (what < 30) {
      const aged: Known[] = [];
      neighbors.age(nowMs, (neighbor) => aged.push(facts(neighbor)));
      const expected = model.remove(({ expiresMs }) => nowMs >= expiresMs);
      assert.deepEqual(aged.sort(byPlace), expected.sort(byPlace), `step ${step}`);
    } else {
      const taken = neighbors.take(port, lldpdu, Buffer.from(systemName), nowMs);
      assert.equal(taken.update, model.take(number, station, ttlSeconds, systemName, nowMs), `step ${step}`);
      seen.add(taken.update);
      if (taken.update !== 'full') assert.deepEqual(facts(taken.found), model.find(number, station));
    }
    assert.equal(neighbors.size, model.list.length, `step ${step}`);
    // The whole is compared after each removal: what a step adds is found by the removals behind it.
    if (what >= 30) continue;
    for (const each of ports)
      assert.deepEqual([...neighbors.of(each)].map(facts), model.of(each.number), `step ${step}`);
    assert.deepEqual([...neighbors.all()].map(facts).sort(byPlace), [...model.list].sort(byPlace), `step ${step}`);
  }
  assert.deepEqual([...seen].sort(), ['added', 'changed', 'full', 'refreshed']);
});
