import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { decodeRecords, STATION_KINDS } from '../../wire/mesh/station-records.ts';
import type { MeshStation } from './mesh-station.ts';
import { StationExchange } from './station-exchange.ts';

const DIGEST_OF_NOTHING = new Uint8Array(12);

let stations: MeshStation[];
let sent: { readonly kind: number; readonly payload: Uint8Array }[];
let wakes: number[];
let isLossy: boolean;
let nowMs: number;
let exchange: StationExchange;

/** An exchange whose only other node has said that it has nothing: nothing is open with it. */
beforeEach(() => {
  stations = [];
  sent = [];
  wakes = [];
  isLossy = false;
  nowMs = 1000;
  exchange = new StationExchange({
    store: {
      find: ({ mac }) => stations.find((each) => each.mac === mac),
      own: () => stations,
      toldBy: () => [],
      tell: () => undefined,
      forget: () => undefined,
      forgetNode: () => undefined,
      room: 1000,
    },
    self: () => 'r1',
    now: () => nowMs,
    send: (_, kind, payload) => {
      if (isLossy) return false;
      sent.push({ kind, payload });
      return true;
    },
    wakeBy: (atMs) => void wakes.push(atMs),
  });
  exchange.linkUp('r2', nowMs);
  exchange.received('r2', STATION_KINDS.wholeBegin, new Uint8Array(), nowMs);
  exchange.received('r2', STATION_KINDS.wholeEnd, DIGEST_OF_NOTHING, nowMs);
  sent = [];
  wakes = [];
});

function appear(mac: number, isIsolated: boolean): MeshStation {
  const port = { meshNode: undefined, isIsolated };
  const station: MeshStation = {
    ...{ vid: 1 as Vid, mac: mac as MacAddress, kind: 'learned' as MeshStation['kind'], seenMs: nowMs, port },
    ...{ sequence: 0, isHeld: false, isIsolated: false, isAnnounced: false },
  };
  stations.push(station);
  exchange.appeared(station);
  return station;
}

const announced = (): number[][] =>
  sent
    .filter(({ kind }) => kind === STATION_KINDS.announce)
    .map(({ payload }) => (decodeRecords(payload) ?? []).map(({ mac }) => mac));

for (const isIsolated of [false, true]) {
  test(`a lost announcement of ${isIsolated ? 'an isolated' : 'a'} port is repaired without a digest`, () => {
    isLossy = true;
    const station = appear(2, isIsolated);
    assert.equal(exchange.hasTold(station, 'r2'), false);
    isLossy = false;
    const [repairMs] = wakes.filter((atMs) => atMs === nowMs + 1000);
    assert.ok(repairMs !== undefined, 'it wakes for it');
    nowMs = repairMs;
    exchange.tick(nowMs);
    assert.deepEqual(
      sent.map(({ kind }) => kind).filter((kind) => kind !== STATION_KINDS.digest),
      [STATION_KINDS.wholeBegin, STATION_KINDS.announce, STATION_KINDS.wholeEnd],
    );
    assert.equal(exchange.hasTold(station, 'r2'), true);
  });
}

test('stations of isolated ports are announced at once, and behind the first four together', () => {
  const all = Array.from({ length: 100 }, (_, index) => appear(index + 2, true));
  assert.deepEqual(announced(), [[2], [3], [4], [5]]);
  assert.equal(exchange.hasTold(all[4] as MeshStation, 'r2'), false, 'its frames are refused meanwhile');
  const [batchMs = 0] = wakes.filter((atMs) => atMs > nowMs && atMs <= nowMs + 5);
  nowMs = batchMs;
  exchange.tick(nowMs);
  assert.equal(announced().flat().length, 100);
  assert.equal(announced().length, 5);
  assert.ok(all.every((station) => exchange.hasTold(station, 'r2')));
  nowMs += 5;
  appear(500, true);
  assert.deepEqual(announced().at(-1), [500]);
});
