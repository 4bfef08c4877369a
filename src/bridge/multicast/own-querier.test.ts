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

const GROUP = '239.1.2.3';
const OWN6 = 'fe80::ff:fe00:f00';
const OWN = { isQuerier: true };

test('a querier asks at once, again after 31.25 s, then every 125 s, by all ports, for both families', () => {
  const lan = new MulticastLan(2, OWN);
  assert.deepEqual(lan.takeQueries().sort(), [
    '1 0.0.0.0 from 0.0.0.0',
    `1 :: from ${OWN6}`,
    '2 0.0.0.0 from 0.0.0.0',
    `2 :: from ${OWN6}`,
  ]);
  const asked: number[] = [];
  for (let second = 1; second <= 300; second++) {
    lan.pass(1000);
    if (lan.takeQueries().length > 0) asked.push(second);
  }
  assert.deepEqual(asked, [32, 157, 282], 'to the second of the tick');
});

test('with the own querier groups are pruned after 10 s; reports then go nowhere', () => {
  const lan = new MulticastLan(3, OWN);
  lan.send(2, joinFrame(GROUP));
  lan.pass(9999);
  assert.deepEqual(lan.reach(1, GROUP), [2, 3]);
  lan.pass(1);
  assert.deepEqual(lan.reach(1, GROUP), [2]);
  assert.deepEqual(lan.send(1, joinFrame(GROUP)), []);
});

test('it is silent while another querier is elected, and begins anew when that is silent', () => {
  const lan = new MulticastLan(2, OWN);
  lan.takeHeard();
  lan.send(2, queryFrame({ from: '192.0.2.9' }));
  lan.takeHeard();
  lan.pass(254_000);
  assert.deepEqual(
    lan.takeQueries().filter((query) => !query.includes('::')),
    [],
    'IPv4 has another querier',
  );
  lan.pass(1000);
  assert.deepEqual(
    lan.takeQueries().filter((query) => !query.includes('::')),
    ['1 0.0.0.0 from 0.0.0.0', '2 0.0.0.0 from 0.0.0.0'],
  );
});

test('of two switches without an address the lower MAC address is the querier; over IPv6 the lower address', () => {
  for (const station of [1, 0xfe]) {
    const lan = new MulticastLan(2, OWN);
    // 02:00:00:00:00:xx is below 02:00:00:00:0f:00.
    lan.send(2, queryFrame({ from: '0.0.0.0', station }), queryFrame({ family: 6, from: 'fe80::1', station }));
    lan.takeHeard();
    lan.pass(160_000);
    assert.deepEqual(lan.takeQueries(), []);
  }
  const lan = new MulticastLan(2, OWN);
  lan.takeHeard();
  const higher = queryFrame({ from: '0.0.0.0' });
  higher.writeUInt8(0x0e, 6);
  lan.send(2, higher, queryFrame({ family: 6, from: 'fe80::ffff:ffff:ffff:ffff' }));
  lan.takeHeard();
  lan.pass(160_000);
  assert.equal(lan.takeQueries().length, 8, 'both are lost: two queries by two ports for two families');
  assert.deepEqual(lan.routers, []);
});

test('after a leave it asks twice by that port, and the membership ends after 2 s without an answer', () => {
  for (const [leave, answers] of [
    [leaveFrame(GROUP), false],
    [recordsFrame([{ type: 3, group: GROUP }]), true],
  ] as const) {
    const lan = new MulticastLan(3, OWN);
    lan.pass(40_000);
    for (const port of [1, 2]) lan.send(port, joinFrame(GROUP));
    lan.send(1, leave, leave);
    assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0`], 'two leaves are one question');
    assert.deepEqual(lan.reach(3, GROUP), [1, 2]);
    lan.pass(1000);
    assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0`]);
    if (answers) lan.send(1, joinFrame(GROUP));
    lan.pass(1000);
    assert.deepEqual(lan.reach(3, GROUP), answers ? [1, 2] : [2]);
    lan.pass(5000);
    assert.deepEqual(lan.takeQueries(), []);
  }
});

test('a leave of a port that is no member asks no host', () => {
  const lan = new MulticastLan(3, OWN);
  lan.send(1, joinFrame(GROUP));
  lan.send(2, leaveFrame(GROUP));
  assert.deepEqual(lan.takeQueries(), []);
});

test('hosts in a VLAN are asked in it', () => {
  const lan = new MulticastLan(2, OWN);
  lan.send(1, joinFrame(GROUP, { vid: 7 }));
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(lan.takeQueries(), ['1 0.0.0.0 from 0.0.0.0 in 7', '2 0.0.0.0 from 0.0.0.0 in 7']);
});

test('a port that begins to forward is asked at once, and gets all groups until its hosts have answered', () => {
  const lan = new MulticastLan(3, OWN);
  lan.pass(40_000);
  lan.send(1, joinFrame(GROUP));
  lan.bridge.setLink(lan.port(2), 'down', 'pulled');
  lan.bridge.setLink(lan.port(2), 'up');
  lan.takeHeard();
  assert.deepEqual(lan.reach(3, GROUP), [1, 2]);
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(lan.takeQueries().sort(), ['2 0.0.0.0 from 0.0.0.0', `2 :: from ${OWN6}`]);
  lan.pass(10_000);
  assert.deepEqual(lan.reach(3, GROUP), [1, 2]);
  lan.pass(1000);
  assert.deepEqual(lan.reach(3, GROUP), [1]);
  lan.takeHeard();
  lan.pass(25_000);
  assert.equal(lan.takeQueries().length, 2, 'and once more, as at the start');
});

test('the query of the elected querier is sent by a port that comes later, as it was', () => {
  const lan = new MulticastLan(3);
  const query = queryFrame({ from: '192.0.2.9', vid: 5 });
  lan.send(3, query);
  lan.pass(10_000);
  const late = lan.plug();
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(
    lan.takeHeard().map((frames) => frames.map((frame) => frame.toString('hex'))),
    [[], [], [], [query.toString('hex')]],
  );
  assert.equal(late.tx.frames, 1);
  lan.bridge.setShut(lan.port(3), true);
  lan.bridge.setShut(lan.port(3), false);
  lan.pass(1000);
  assert.equal(lan.takeHeard().flat().length, 1, 'the port of the querier, which was lost, gets it as well');
});

test('when the topology changes, all ports are asked and get all groups', () => {
  const lan = new MulticastLan(3, OWN);
  lan.pass(40_000);
  lan.send(1, joinFrame(GROUP));
  lan.takeHeard();
  lan.snooper.topologyChanged();
  assert.deepEqual(lan.reach(3, GROUP), [1, 2]);
  lan.takeHeard();
  lan.pass(1000);
  assert.equal(lan.takeQueries().length, 6);
  lan.pass(11_000);
  assert.deepEqual(lan.reach(3, GROUP), [1]);
});

test('the querier is switched off and on', () => {
  const lan = new MulticastLan(2, OWN);
  lan.bridge.setMulticast({ mac: SWITCH_MAC, isQuerier: false }, lan.nowMs);
  lan.takeHeard();
  lan.pass(200_000);
  assert.deepEqual(lan.takeQueries(), []);
  assert.deepEqual(lan.reach(1, GROUP), [2], 'no querier: flooded');
  lan.bridge.setMulticast({ mac: SWITCH_MAC, isQuerier: true }, lan.nowMs);
  assert.equal(lan.takeQueries().length, 4);
});

test('a peer that shows routers in all VLANs makes the switch ask in all of them, but not at once', () => {
  const lan = new MulticastLan(3, OWN);
  for (let vid = 1; vid < 4095; vid++) lan.send(1, pimHelloFrame(4, { vid }), pimHelloFrame(6, { vid }));
  const ask = (seconds: number): { most: number; all: number } => {
    let [most, all] = [0, 0];
    for (let second = 0; second < seconds; second++) {
      lan.takeHeard();
      lan.pass(1000);
      const sent = lan.takeHeard().reduce((sum, frames) => sum + frames.length, 0);
      most = Math.max(most, sent);
      all += sent;
    }
    return { most, all };
  };
  const first = ask(10);
  assert.ok(first.most <= 4100, `${first.most} queries in a tick`);
  assert.equal(first.all, 3 * 4094 * 2);
  lan.snooper.topologyChanged();
  const again = ask(10);
  // By one port in a tick, and what is repeated of the first ones.
  assert.ok(again.most <= 4095 * 2 + 4096, `${again.most} queries in a tick`);
  assert.ok(again.all >= 3 * 4095 * 2);
});

test('a host that joins again right behind the end of its membership gets the group, before a tick has removed that', () => {
  const lan = new MulticastLan(3, OWN);
  lan.send(2, joinFrame(GROUP));
  lan.pass(20_000);
  lan.send(2, leaveFrame(GROUP));
  lan.nowMs += 2001;
  assert.deepEqual(lan.reach(1, GROUP), []);
  lan.send(2, joinFrame(GROUP));
  assert.deepEqual(lan.reach(1, GROUP), [2]);
});

test('a query for sources is repeated after a second: with the flag S for those that a host has reported meanwhile', () => {
  const lan = new MulticastLan(3, OWN);
  lan.pass(40_000);
  const sources = ['10.0.0.1', '10.0.0.2'];
  const record = (type: number, those: readonly string[]): Buffer =>
    recordsFrame([{ type, group: GROUP, sources: those }]);
  const reach = (from: string): number[] => lan.reach(3, GROUP, { from });
  lan.send(1, record(5, sources));
  lan.send(1, record(6, sources));
  assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0 for 10.0.0.1 10.0.0.2`]);
  lan.send(1, record(1, ['10.0.0.2']));
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(lan.takeQueries(), [
    `1 ${GROUP} from 0.0.0.0 for 10.0.0.2 S`,
    `1 ${GROUP} from 0.0.0.0 for 10.0.0.1`,
  ]);
  assert.deepEqual([reach('10.0.0.1'), reach('10.0.0.2')], [[1], [1]]);
  lan.pass(1000);
  assert.deepEqual(lan.takeQueries(), []);
  assert.deepEqual([reach('10.0.0.1'), reach('10.0.0.2')], [[], [1]]);
});

test('a query for a group is repeated with the flag S when a host has reported it meanwhile', () => {
  const lan = new MulticastLan(3, OWN);
  lan.pass(40_000);
  lan.send(1, joinFrame(GROUP));
  lan.send(1, leaveFrame(GROUP));
  assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0`]);
  lan.send(1, joinFrame(GROUP));
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0 S`]);
});

test('a membership that moves to another port takes its sources along, and both are wanted there', () => {
  const lan = new MulticastLan(4, OWN);
  lan.pass(40_000);
  lan.send(1, recordsFrame([{ type: 5, group: GROUP, sources: ['10.0.0.1'] }]));
  lan.send(2, recordsFrame([{ type: 4, group: GROUP, sources: ['10.0.0.1', '10.0.0.2'] }]));
  lan.snooper.portMoved(lan.port(1), lan.port(2));
  lan.pass(12_000);
  const reach = (from: string): number[] => lan.reach(4, GROUP, { from });
  assert.deepEqual([reach('10.0.0.1'), reach('10.0.0.2'), reach('10.0.0.3')], [[2], [], [2]]);
  assert.deepEqual([lan.snooper.database.memberships, lan.snooper.database.sources], [1, 2]);
});

test('queries for sources are repeated also when a port for which very many were to be repeated has gone', () => {
  const lan = new MulticastLan(3, OWN);
  lan.pass(40_000);
  const sources = Array.from({ length: 32 }, (_, at) => `10.0.0.${at + 1}`);
  const records = (type: number, groups: number): Buffer[] =>
    Array.from({ length: groups }, (_, at) => {
      const group = `239.2.${at >> 8}.${at & 255}`;
      return recordsFrame([{ type, group, sources }]);
    });
  lan.send(1, ...records(5, 512));
  lan.send(1, ...records(6, 512));
  lan.bridge.setShut(lan.port(1), true);
  lan.send(2, ...records(5, 1));
  lan.send(2, ...records(6, 1));
  assert.equal(lan.takeQueries().length, 1);
  lan.pass(1000);
  assert.equal(lan.takeQueries().length, 1);
});
