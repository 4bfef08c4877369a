import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  joinFrame,
  leaveFrame,
  pimHelloFrame,
  queryFrame,
  recordsFrame,
} from '../../../test/support/multicast-frames.ts';
import { MulticastLan, SWITCH_MAC } from '../../../test/support/multicast-lan.ts';
import { MulticastPacket } from '../../wire/multicast/multicast-packet.ts';
import { readMulticast } from '../../wire/multicast/read-multicast.ts';
import { MESH_PORT_SETTINGS } from '../mesh/mesh-port-settings.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';
import { MULTICAST_TIMERS } from './multicast-settings.ts';

const GROUP = '239.1.2.3';

const ofIpv4 = (queries: readonly string[]): string[] => queries.filter((query) => !query.includes('::'));

/** The numbers of elections in the VLAN without a tag, for IPv4. */
function electionsOf(lan: MulticastLan): number | undefined {
  return [...lan.snooper.vlans()].find(({ family }) => family === 4)?.querier.election;
}

test('messages are counted by their kind, and so are the queries that were sent', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  assert.equal(lan.snooper.counters.queriesSent, 6, 'of two families by three ports');
  lan.send(1, joinFrame(GROUP), joinFrame(GROUP), recordsFrame([{ type: 4, group: GROUP }]));
  lan.send(1, queryFrame({ from: '0.0.0.0' }), queryFrame({ from: '0.0.0.0', group: GROUP }));
  lan.send(1, pimHelloFrame(4), leaveFrame('239.7.7.7'), leaveFrame('239.7.7.7'));
  const { queries, reports, leaves, routerMessages, malformed } = lan.snooper.counters;
  assert.deepEqual(
    { queries, reports, leaves, routerMessages, malformed },
    {
      ...{ queries: 2, reports: 3, leaves: 2, routerMessages: 1, malformed: 0 },
    },
  );
});

test('a record of an unknown type, or of what is no group, makes no member, and the records behind it count', () => {
  for (const [addresses, groups] of [
    [
      ['10.0.0.1', '224.0.0.5'],
      [GROUP, '239.4.4.4'],
    ],
    [
      ['2001:db8::1', 'ff02::1'],
      ['ff15::9', 'ff15::a'],
    ],
  ] as const) {
    const lan = new MulticastLan(2);
    const [first, second] = groups;
    lan.send(
      1,
      recordsFrame([
        { type: 0, group: first },
        { type: 7, group: first },
        { type: 255, group: first, sources: [addresses[0]] },
        ...addresses.flatMap((group) => [1, 2, 3, 4, 5, 6].map((type) => ({ type, group, sources: [addresses[0]] }))),
        { type: 4, group: second },
      ]),
    );
    assert.deepEqual(lan.memberships, [`0 ${second} 1 260`]);
  }
});

test('general queries give hosts 10 s to answer, those of a group 1 s; another querier lowers nothing by one with sources', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  const packet = new MulticastPacket();
  const times = (): number[] =>
    lan.takeHeard().flatMap((frames) =>
      frames.map((frame) => {
        assert.equal(readMulticast(packet, frame, 0, frame.length), 'query');
        return packet.maxResponseMs;
      }),
    );
  assert.deepEqual(new Set(times()), new Set([10_000]));
  lan.pass(40_000);
  lan.send(1, joinFrame(GROUP), leaveFrame(GROUP));
  assert.deepEqual(times(), [1000]);
  lan.send(1, recordsFrame([{ type: 5, group: '239.4.4.4', sources: ['10.0.0.1', '10.0.0.2'] }]));
  lan.send(1, recordsFrame([{ type: 6, group: '239.4.4.4', sources: ['10.0.0.1'] }]));
  assert.deepEqual(times(), [1000]);
});

test('a general query with sources is none: it elects no querier', () => {
  const lan = new MulticastLan(3);
  lan.send(3, queryFrame({ from: '10.0.0.9', sources: ['10.0.0.1'] }));
  assert.equal(electionsOf(lan), 0);
  assert.deepEqual(lan.routers, []);
  lan.send(3, queryFrame({ from: '10.0.0.9' }));
  assert.equal(electionsOf(lan), 1);
});

test('an election is one when the querier has another address, station or port, or was gone, and not at each of its queries', () => {
  const lan = new MulticastLan(3);
  const expectElections = (expected: number, port: number, fields: Parameters<typeof queryFrame>[0]): void => {
    for (let times = 0; times < 2; times++) {
      lan.pass(100_000);
      lan.send(port, queryFrame(fields));
      assert.equal(electionsOf(lan), expected);
    }
  };
  expectElections(1, 3, { from: '10.0.0.9', station: 9 });
  expectElections(2, 2, { from: '10.0.0.9', station: 9 });
  expectElections(3, 2, { from: '10.0.0.9', station: 8 });
  expectElections(4, 2, { from: '10.0.0.8', station: 8 });
  lan.pass(255_000);
  expectElections(5, 2, { from: '10.0.0.8', station: 8 });
  lan.send(2, queryFrame({ from: '10.0.0.7', station: 8 }));
  assert.equal(electionsOf(lan), 6);
});

test('only the querier itself asks for a group: by its port, from its station and its address', () => {
  const asks = [
    { port: 2, from: '10.0.0.9', station: 9 },
    { port: 3, from: '10.0.0.8', station: 9 },
    { port: 3, from: '10.0.0.9', station: 8 },
    { port: 3, from: '10.0.0.9', station: 9 },
  ];
  for (const [at, { port, from, station }] of asks.entries()) {
    const lan = new MulticastLan(3);
    lan.send(3, queryFrame({ from: '10.0.0.9', station: 9 }));
    lan.send(1, joinFrame(GROUP));
    lan.send(port, queryFrame({ from, station, group: GROUP, code: 10 }));
    assert.deepEqual(lan.memberships, [`0 ${GROUP} 1 ${at === asks.length - 1 ? 2 : 260}`]);
  }
});

test('a query that was repeated for the end of a membership is not sent when another querier is elected meanwhile', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  lan.pass(40_000);
  lan.send(1, joinFrame(GROUP), leaveFrame(GROUP));
  lan.send(3, queryFrame({ from: '10.0.0.9' }));
  lan.takeHeard();
  lan.pass(3000);
  assert.deepEqual(ofIpv4(lan.takeQueries()), []);
});

test('a port that comes while the elected querier is gone, or behind which it is, gets no query of it', () => {
  const plugged = (lan: MulticastLan): number[] => {
    lan.plug();
    lan.takeHeard();
    lan.pass(1000);
    return lan.takeHeard().map((frames) => frames.length);
  };
  const lan = new MulticastLan(2);
  assert.deepEqual(plugged(lan), [0, 0, 0]);
  lan.send(2, queryFrame({ from: '10.0.0.9' }));
  assert.deepEqual(plugged(lan), [0, 0, 0, 1]);
  lan.snooper.topologyChanged();
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(
    lan.takeHeard().map((frames) => frames.length),
    [1, 0, 1, 1],
    'it need not hear its own query',
  );
  lan.pass(254_000);
  assert.deepEqual(plugged(lan), [0, 0, 0, 0, 0]);
});

test('a querier never stops to ask', () => {
  const lan = new MulticastLan(40, { isQuerier: true, timers: { ...MULTICAST_TIMERS, queryIntervalMs: 1000 } });
  lan.pass(40_000);
  for (let second = 0; second < 60; second++) {
    lan.takeHeard();
    lan.pass(1000);
    assert.equal(lan.takeHeard().flat().length, 2 * 40);
  }
});

test('a query of up to 128 octets is kept for ports that come later', () => {
  for (const [padding, expected] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const lan = new MulticastLan(2);
    const query = queryFrame({ from: '10.0.0.9' });
    lan.send(2, Buffer.concat([query, Buffer.alloc(128 - query.length + padding)]));
    lan.plug();
    lan.takeHeard();
    lan.pass(1000);
    assert.equal(lan.takeHeard().flat().length, expected);
  }
});

test('a port that comes is asked twice, 31.25 s apart, if the switch is the querier', () => {
  const lan = new MulticastLan(1, { isQuerier: true });
  lan.pass(40_000);
  lan.plug();
  const asked: number[] = [];
  for (let second = 1; second <= 110; second++) {
    lan.takeHeard();
    lan.pass(1000);
    if (ofIpv4(lan.takeQueries()).includes('2 0.0.0.0 from 0.0.0.0')) asked.push(second);
  }
  assert.deepEqual(asked, [1, 33]);
});

test('a querier that is told again that it is one goes on; one that begins beside another one leaves groups as they are', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  lan.pass(40_000);
  lan.takeHeard();
  lan.bridge.setMulticast({ mac: SWITCH_MAC, isQuerier: true }, lan.nowMs);
  assert.deepEqual(lan.takeQueries(), []);
  const other = new MulticastLan(3);
  other.send(3, queryFrame({ from: '10.0.0.9' }));
  other.pass(10_000);
  assert.deepEqual(other.reach(1, GROUP), [3]);
  other.snooper.setQuerier(true, other.nowMs);
  assert.deepEqual(other.reach(1, GROUP), [3]);
  assert.deepEqual(ofIpv4(other.takeQueries()), []);
});

test('a querier that has been beaten begins with two queries 31.25 s apart when the other one is gone', () => {
  const lan = new MulticastLan(2, { isQuerier: true });
  lan.pass(40_000);
  lan.send(2, queryFrame({ from: '10.0.0.9' }));
  const asked: number[] = [];
  for (let second = 1; second <= 420; second++) {
    lan.takeHeard();
    lan.pass(1000);
    if (ofIpv4(lan.takeQueries()).length > 0) asked.push(second);
  }
  assert.deepEqual(asked, [255, 287, 412]);
});

test('what was refused to a port is forgotten with it, and told of a port of the mesh never', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  for (const port of [1, 2]) lan.bridge.setSettings(lan.port(port), { ...DEFAULT_SETTINGS, multicastLimit: 1 });
  const refused = [4, 4].map((type, at) => ({ type, group: `239.0.1.${at}` }));
  const tooMany = Array.from({ length: 33 }, (_, at) => `10.0.0.${at}`);
  const send = (port: number): void => {
    lan.send(port, recordsFrame([...refused, { type: 4, group: '239.0.1.0', sources: tooMany }]));
  };
  for (const port of [1, 2]) send(port);
  lan.bridge.setShut(lan.port(1), true);
  const counts = (of: Iterable<[{ readonly number: number }, number]>): number[][] =>
    [...of].map(([{ number }, count]) => [number, count]);
  assert.deepEqual([counts(lan.snooper.refusals()), counts(lan.snooper.overflows())], [[[2, 1]], [[2, 1]]]);
  Object.assign(lan.port(3), { meshNode: 'r2' });
  lan.bridge.setSettings(lan.port(3), MESH_PORT_SETTINGS);
  for (let at = 0; at < 6; at++) {
    const records = Array.from({ length: 100 }, (_, each) => ({ type: 4, group: `239.1.${at}.${each}` }));
    lan.send(3, recordsFrame(records));
  }
  assert.equal(lan.snooper.database.membershipsOf(lan.port(3)), 512);
  assert.deepEqual([counts(lan.snooper.refusals()), lan.snooper.counters.refusedByPort], [[[2, 1]], 2]);
});

test('a port that takes the place of another one has its memberships, and gets all groups until its hosts have answered', () => {
  const lan = new MulticastLan(4, { isQuerier: true });
  lan.pass(40_000);
  lan.send(1, joinFrame(GROUP));
  lan.send(1, pimHelloFrame(4));
  const { snooper } = lan;
  lan.snooper.portChanged(lan.port(2), false);
  lan.takeHeard();
  snooper.portMoved(lan.port(1), lan.port(2));
  assert.deepEqual(
    lan.memberships.map((line) => line.split(' ').slice(1, 3)),
    [[GROUP, '2']],
  );
  assert.deepEqual(lan.routers, []);
  assert.deepEqual(lan.reach(4, '239.9.9.9'), [2]);
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(ofIpv4(lan.takeQueries()), ['2 0.0.0.0 from 0.0.0.0']);
  lan.pass(11_000);
  assert.deepEqual([lan.reach(4, GROUP), lan.reach(4, '239.9.9.9')], [[2], []]);
});
