import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FLOODED,
  FlowBench,
  FlowPort,
  frame,
  GROUP,
  READ_ALL,
  STATION_1,
  UNKNOWN,
} from '../../test/support/flow-bench.ts';
import { batchOf } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import { Bridge } from './bridge.ts';
import type { BridgePort, PortNumber } from './bridge-port.ts';
import type { PortTap } from './port-tap.ts';

const SILENT_TAP: PortTap = { received: () => undefined, sent: () => undefined, discarded: () => undefined };
/** A further port of a bench, for copies. */
const reserved = ({ bridge }: FlowBench): BridgePort =>
  bridge.ports.get(4 as PortNumber) ?? bridge.attach(new FlowPort());

test('a trace that comes at run time ends the flows, and gets each frame until it is taken away', () => {
  const bench = new FlowBench();
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  const told: number[][] = [];
  bench.bridge.trace = {
    learned: () => undefined,
    aged: () => undefined,
    forwarded: (from, to, length) => told.push([from, ...to, length]),
  };
  assert.equal(bench.invalidations, 1);
  assert.deepEqual(bench.offered(frame(1, 0), frame(1, 0, 70)), []);
  bench.bridge.trace = undefined;
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  assert.deepEqual(told, [
    [1, 2, 60],
    [1, 2, 70],
  ]);
  assert.equal(bench.invalidations, 1);
});

test('where no flow was installed none is invalidated', () => {
  let invalidations = 0;
  const bridge = new Bridge({
    flowTable: { install: () => assert.fail('there is no frame'), invalidate: () => void invalidations++ },
  });
  bridge.setShut(bridge.attach(new FlowPort()), true);
  assert.equal(invalidations, 0);
});

test('another ageing time counts for flows from then on', () => {
  const bench = new FlowBench();
  bench.offered(frame(1, 0));
  bench.bridge.setAgeingTime(1000);
  assert.equal(bench.invalidations, 1, 'those that are installed live too long');
  assert.equal(bench.offered(frame(1, 0))[0]?.lifeMs, 250);
});

test('whatever changes a decision invalidates all flows', () => {
  const changes: [string, (bench: FlowBench) => void][] = [
    [
      'a station moves that a flow leads to',
      (bench) => {
        bench.receive(0, batchOf(frame(1, 0)));
        bench.receive(2, batchOf(frame(0, 1)));
      },
    ],
    [
      'a station moves that a flow leads from',
      (bench) => {
        bench.receive(1, batchOf(frame(0, 1)));
        bench.receive(2, batchOf(frame(UNKNOWN, 1)));
      },
    ],
    ['a port comes', (bench) => void bench.bridge.attach(new FlowPort())],
    ['a port goes', (bench) => bench.bridge.detach(bench.at(2))],
    ['a port is shut', (bench) => bench.bridge.setShut(bench.at(1), true)],
    ['a port is opened', (bench) => bench.bridge.setShut(bench.at(1), false)],
    ['a link goes down', (bench) => bench.bridge.setLink(bench.at(1), 'down', 'pulled')],
    ['a link comes up', (bench) => bench.bridge.setLink(bench.at(1), 'up')],
    ['a policy is set', (bench) => Object.assign(bench.at(0), { policy: READ_ALL })],
    ['a policy is taken away', (bench) => Object.assign(bench.at(0), { policy: undefined })],
    [
      'an entry is set',
      ({ bridge, attached }) => void bridge.entries.set(UNTAGGED, STATION_1, attached[2] as BridgePort, 'static', 0),
    ],
    ['an entry is removed', ({ bridge }) => void bridge.entries.delete(UNTAGGED, STATION_1)],
    ['learned entries are removed', ({ bridge }) => void bridge.entries.flush()],
    ['the addresses of a port are forgotten', (bench) => bench.bridge.forgetAddresses(bench.at(2))],
    ['a port is protected', (bench) => bench.bridge.protect(bench.at(2), { cause: 'loop', reason: '' })],
    ['a protection ends', (bench) => bench.bridge.protect(bench.at(2), undefined)],
    ['a port only learns', (bench) => bench.bridge.setStpState(bench.at(2), 'learning')],
    ['the settings of a port change', (bench) => bench.bridge.setSettings(bench.at(2), bench.at(2).settings)],
    ['a protocol entity comes', ({ bridge }) => bridge.addProtocol({ addresses: 1, received: () => false })],
    ['a protocol entity goes', ({ bridge }) => bridge.removeProtocol({ addresses: 1, received: () => false })],
    ['a tap comes', (bench) => bench.bridge.addTap(bench.at(2), SILENT_TAP)],
    ['a tap goes', (bench) => bench.bridge.removeTap(bench.at(2), SILENT_TAP)],
    ['the internal port comes', ({ bridge }) => void bridge.attachInternal(new FlowPort())],
    [
      'a mirror comes that copies to a port which is reserved already',
      (bench) => {
        bench.bridge.setMirrors(bench.at(2), [{ to: reserved(bench), direction: 'rx' }]);
        bench.offered(frame(1, 0));
        bench.invalidations = 0;
        bench.bridge.setMirrors(bench.at(1), [{ to: reserved(bench), direction: 'tx' }]);
      },
    ],
  ];
  for (const [what, change] of changes) {
    const bench = new FlowBench();
    assert.equal(bench.offered(frame(1, 0)).length, 1);
    change(bench);
    assert.equal(bench.invalidations, 1, what);
  }
});

test('commands of the operator that change no entry leave the flows', () => {
  const bench = new FlowBench({ fdbCapacity: 4 });
  const { entries } = bench.bridge;
  const set = (mac: number, at = 2): unknown => entries.set(UNTAGGED, mac as MacAddress, bench.at(at), 'static', 0);
  set(STATION_1, 1);
  for (const mac of [6, 7]) set(mac);
  assert.equal(bench.offered(frame(1, 0)).length, 1);
  bench.invalidations = 0;
  assert.equal(set(8), undefined, 'there is no room');
  assert.equal(entries.delete(UNTAGGED, 8 as MacAddress), undefined);
  assert.equal(entries.flush({ vid: 9 as Vid }), 0);
  assert.equal(bench.invalidations, 0);
});

test('flows are invalidated once, however many stations age at once', () => {
  const bench = new FlowBench();
  for (let station = 0; station < 5000; station++) {
    const spoken = frame(0, 1);
    spoken.writeUInt16BE(station, 8);
    bench.receive(1, batchOf(spoken));
  }
  // From now on the stations receive frames but send none.
  bench.flows = [];
  for (let station = 0; station < 5000; station++) {
    const heard = frame(1, 0);
    heard.writeUInt16BE(station, 2);
    bench.receive(0, batchOf(heard), 299_500);
  }
  assert.equal(bench.flows.length, 5000);
  bench.invalidations = 0;
  bench.bridge.age(300_000);
  assert.equal(bench.bridge.fdbSize, 1, 'only the station that spoke is left');
  assert.equal(bench.invalidations, 1, 'all stations of flows have gone at once');
  bench.bridge.setShut(bench.at(0), true);
  assert.equal(bench.invalidations, 1, 'there is none left to invalidate');
});

test('an entry that goes invalidates all flows if one leads from or to it, and none otherwise', () => {
  const aged = (sendMs: number, ageMs: number): number => {
    const bench = new FlowBench();
    bench.receive(0, batchOf(frame(1, 0)), sendMs);
    bench.bridge.age(ageMs);
    return bench.invalidations;
  };
  assert.equal(aged(299_500, 300_000), 1, 'station 1 was silent, but spoken to: its flow ends, station 2 has none');
  assert.equal(aged(200_000, 300_000), 0, 'the flow had ended before');

  const full = (...before: Buffer[]): FlowBench => {
    const bench = new FlowBench({ fdbCapacity: 3 });
    for (const each of before) bench.receive(0, batchOf(each));
    bench.receive(1, batchOf(frame(FLOODED, 7)));
    return bench;
  };
  assert.equal(full(frame(1, 0)).invalidations, 1, 'station 1 is displaced: the flow to it ends');
  assert.equal(full(frame(2, 0)).invalidations, 0, 'the flow leads elsewhere');
  assert.equal(full().invalidations, 0);
  const source = new FlowBench({ fdbCapacity: 3 });
  source.receive(1, batchOf(frame(0, 1)));
  source.receive(1, batchOf(frame(FLOODED, 7)));
  assert.equal(source.invalidations, 1, 'station 1 is displaced: the flow from it ends');
});

test('a flood of made-up sources leaves the flows of others', () => {
  const bench = new FlowBench({ fdbCapacity: 100 });
  bench.offered(frame(1, 0), frame(1, 0));
  const madeUp = frame(FLOODED, 2);
  for (let number = 0; number < 10_000; number++) {
    madeUp.writeUInt32BE(number, 7);
    bench.receive(2, batchOf(madeUp));
  }
  assert.equal(bench.bridge.fdbSize, 100);
  assert.equal(bench.invalidations, 0);
  assert.equal(bench.offered(frame(1, 0)).length, 1);
});

test('what changes nothing leaves them', () => {
  const bench = new FlowBench();
  bench.offered(frame(1, 0), frame(1, 0));
  bench.receive(2, batchOf(frame(0, 7), frame(UNKNOWN, 2), Buffer.alloc(3)));
  bench.receive(0, batchOf(GROUP));
  bench.bridge.age(299_999);
  bench.bridge.setStpState(bench.at(1), 'forwarding');
  bench.bridge.trace = undefined;
  assert.equal(bench.invalidations, 0);
});
