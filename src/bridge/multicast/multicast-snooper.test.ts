import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataFrame,
  discoveryFrame,
  groupMacOf,
  joinFrame,
  leaveFrame,
  pimHelloFrame,
  queryFrame,
  recordsFrame,
} from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { MESH_PORT_SETTINGS } from '../mesh/mesh-port-settings.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';

const GROUP = '239.1.2.3';
const GROUP6 = 'ff15::9';
const ROUTER = { from: '192.0.2.254', station: 0xfe };

/** Four ports: a querier at port 4 has asked, and hosts had the time to answer. */
function settledLan(): MulticastLan {
  const lan = new MulticastLan(4);
  lan.send(4, queryFrame(ROUTER), queryFrame({ family: 6, station: 0xfe }));
  lan.pass(10_000);
  return lan;
}

test('off: groups are flooded, messages included, and nothing is kept', () => {
  const lan = new MulticastLan(3);
  lan.bridge.setMulticast(undefined, lan.nowMs);
  assert.equal(lan.bridge.multicast, undefined);
  for (const frame of [joinFrame(GROUP), queryFrame(), dataFrame(GROUP), joinFrame(GROUP).fill(1, 40)]) {
    assert.deepEqual(lan.send(1, frame), [2, 3]);
  }
});

test('without a querier everything is flooded, since members may be unknown', () => {
  const lan = new MulticastLan(3);
  lan.send(2, joinFrame(GROUP));
  assert.deepEqual(lan.memberships, ['0 239.1.2.3 2 260']);
  assert.deepEqual(lan.reach(1, GROUP), [2, 3]);
  assert.deepEqual(lan.send(1, joinFrame(GROUP)), [2, 3], 'reports, too');
});

test('a frame to a single station behind one to a group is forwarded by its own destination', () => {
  const lan = settledLan();
  lan.send(2, joinFrame(GROUP));
  const toGroup = dataFrame(GROUP);
  const toLowest = Buffer.concat([Buffer.from('000000000001', 'hex'), toGroup.subarray(6)]);
  lan.send(1, toGroup, toLowest);
  assert.deepEqual(
    lan.heard.map((frames) => frames.map((frame) => frame.readUIntBE(0, 6))),
    [[], [toGroup.readUIntBE(0, 6), 1], [1], [toGroup.readUIntBE(0, 6), 1]],
  );
});

test('a group is pruned when a querier has asked and all had the time to answer, and no longer than it asks', () => {
  const lan = new MulticastLan(4);
  lan.send(4, queryFrame({ ...ROUTER, code: 50 }));
  lan.send(2, joinFrame(GROUP));
  lan.pass(4999);
  assert.deepEqual(lan.reach(1, GROUP), [2, 3, 4]);
  lan.pass(1);
  assert.deepEqual(lan.reach(1, GROUP), [2, 4], 'the member and the router');
  assert.deepEqual(lan.reach(1, '239.9.9.9'), [4], 'no member: to the router only');
  assert.deepEqual(lan.reach(1, GROUP6), [2, 3, 4], 'a querier of IGMP asks no host for IPv6');
  lan.pass(255_000 - 5000 - 1);
  assert.deepEqual(lan.reach(1, GROUP), [2, 4]);
  lan.pass(1);
  assert.deepEqual(lan.reach(1, GROUP), [2, 3, 4], 'the querier is gone');
});

for (const [family, group, other] of [
  [4, GROUP, '239.129.2.3'],
  [6, GROUP6, 'ff18::9'],
] as const) {
  test(`IPv${family}: reports make members, of each version`, () => {
    const lan = settledLan();
    assert.deepEqual(groupMacOf(group), groupMacOf(other), 'both groups have the same MAC address');
    lan.send(1, joinFrame(group));
    lan.send(
      2,
      recordsFrame([
        { type: 4, group: other },
        { type: 2, group },
      ]),
    );
    lan.send(3, recordsFrame([{ type: 5, group: other, sources: [family === 4 ? '10.0.0.1' : '2001:db8::1'] }]));
    assert.deepEqual(
      lan.memberships.map((line) => line.split(' ').slice(1, 3).join(' ')),
      [...[`${group} 1`, `${group} 2`, `${other} 2`, `${other} 3`].sort()],
    );
    assert.deepEqual(lan.reach(4, group), [1, 2]);
    const from = family === 4 ? '10.0.0.1' : '2001:db8::1';
    assert.deepEqual(lan.reach(4, other, { from }), [2, 3]);
    assert.deepEqual(lan.reach(4, other), [2], 'another source');
    // In one batch, with the same addresses in Ethernet.
    assert.deepEqual(lan.send(4, dataFrame(group), dataFrame(other, { from }), dataFrame(group)), [1, 2, 3]);
    assert.deepEqual(
      lan.heard.map((frames) => frames.length),
      [2, 3, 1, 0],
    );
  });

  test(`IPv${family}: reports and leaves go to router ports only, queries everywhere`, () => {
    const lan = settledLan();
    for (const frame of [joinFrame(group), recordsFrame([{ type: 4, group }]), leaveFrame(group)]) {
      assert.deepEqual(lan.send(1, frame), [4]);
    }
    assert.deepEqual(lan.send(4, queryFrame({ group, ...(family === 4 ? ROUTER : {}) })), [1, 2, 3]);
  });

  test(`IPv${family}: a membership expires unless it is refreshed`, () => {
    const lan = settledLan();
    lan.send(1, joinFrame(group));
    lan.send(2, joinFrame(group));
    lan.pass(100_000);
    lan.send(1, joinFrame(group));
    lan.send(4, queryFrame({ family, ...(family === 4 ? ROUTER : { station: 0xfe }) }));
    lan.pass(159_999);
    assert.deepEqual(lan.reach(3, group), [1, 2, 4]);
    lan.nowMs++;
    assert.deepEqual(lan.reach(3, group), [1, 4], 'to the millisecond, without a tick');
    lan.pass(1000);
    assert.equal(lan.snooper.database.memberships, 1, 'and it is freed');
  });

  test(`IPv${family}: after a leave the querier's question ends the membership, unless another host answers`, () => {
    for (const answers of [false, true]) {
      const lan = settledLan();
      lan.send(1, joinFrame(group));
      lan.send(2, joinFrame(group));
      lan.send(1, leaveFrame(group));
      lan.pass(5000);
      assert.deepEqual(lan.reach(3, group), [1, 2, 4], 'the querier decides');
      const code = family === 4 ? 10 : 1000;
      lan.send(4, queryFrame({ group, code, ...(family === 4 ? ROUTER : { station: 0xfe }) }));
      if (answers) lan.send(1, joinFrame(group, { station: 9 }));
      lan.send(2, joinFrame(group));
      lan.pass(2000);
      assert.deepEqual(lan.reach(3, group), answers ? [1, 2, 4] : [2, 4]);
    }
  });

  test(`IPv${family}: with fast leave it ends at once`, () => {
    const lan = settledLan();
    lan.bridge.setSettings(lan.port(1), { ...DEFAULT_SETTINGS, fastLeave: true });
    for (const port of [1, 2]) lan.send(port, joinFrame(group));
    for (const port of [1, 2]) lan.send(port, recordsFrame([{ type: 3, group }]));
    assert.deepEqual(lan.reach(3, group), [2, 4]);
  });

  test(`IPv${family}: PIM and router discovery make router ports, for as long as a querier is awaited`, () => {
    for (const frame of [pimHelloFrame(family), discoveryFrame(family)]) {
      const lan = settledLan();
      lan.send(2, frame);
      assert.deepEqual(lan.reach(1, group), [2, 4]);
      assert.deepEqual(lan.send(1, joinFrame(group)), [2, 4]);
      lan.pass(100_000);
      lan.send(4, queryFrame({ family, ...(family === 4 ? ROUTER : { station: 0xfe }) }));
      lan.pass(154_999);
      assert.deepEqual(lan.send(1, dataFrame(family === 4 ? '239.8.8.8' : 'ff15::8')), [2, 4]);
      lan.pass(1);
      assert.deepEqual(lan.send(1, dataFrame(family === 4 ? '239.8.8.8' : 'ff15::8')), [4]);
    }
    const lan = settledLan();
    lan.send(2, discoveryFrame(family));
    lan.send(2, discoveryFrame(family, true));
    assert.deepEqual(lan.reach(1, group), [4], 'a termination ends it');
  });
}

test('ports are router ports always or never, if they are set so', () => {
  const lan = settledLan();
  lan.bridge.setSettings(lan.port(2), { ...DEFAULT_SETTINGS, multicastRouter: 'on' });
  lan.bridge.setSettings(lan.port(4), { ...DEFAULT_SETTINGS, multicastRouter: 'off' });
  assert.deepEqual(lan.reach(1, GROUP), [2]);
  assert.deepEqual(lan.reach(1, GROUP6), [2]);
  lan.send(4, queryFrame(ROUTER), pimHelloFrame(4));
  assert.deepEqual(lan.reach(1, GROUP), [2], 'a query makes it none');
  lan.bridge.setSettings(lan.port(2), DEFAULT_SETTINGS);
  lan.bridge.setSettings(lan.port(4), DEFAULT_SETTINGS);
  lan.send(4, queryFrame(ROUTER));
  assert.deepEqual(lan.reach(1, GROUP), [4]);
});

test('224.0.0.0/24, ff02::1, broadcast and what is no IP are flooded, and no port is a member of these groups', () => {
  const lan = settledLan();
  for (const group of ['224.0.0.251', '224.0.0.1', 'ff02::1']) {
    lan.send(1, joinFrame(group));
    assert.deepEqual(lan.reach(1, group), [2, 3, 4], group);
  }
  assert.deepEqual(lan.memberships, []);
  const header = dataFrame(GROUP).subarray(0, 12);
  assert.deepEqual(lan.send(1, Buffer.concat([header, Buffer.from('88b50000', 'hex')])), [2, 3, 4]);
  assert.deepEqual(lan.send(1, Buffer.concat([Buffer.alloc(6, 0xff), dataFrame(GROUP).subarray(6)])), [2, 3, 4]);
  assert.deepEqual(lan.send(1, dataFrame('ff02::fb')), [4], 'groups of link scope are reported (RFC 3810, 6)');
});

test('a malformed message is discarded, counted, and not used', () => {
  const lan = settledLan();
  const broken = joinFrame(GROUP);
  broken.writeUInt8((broken.at(-1) as number) ^ 1, broken.length - 1);
  assert.deepEqual(lan.send(1, broken, broken, dataFrame(GROUP)), [4]);
  assert.equal(lan.port(1).rx.discards.badMembership, 2);
  assert.equal(lan.snooper.counters.malformed, 2);
  assert.deepEqual(lan.memberships, []);
});

test('VLANs have members, queriers and routers of their own', () => {
  const lan = new MulticastLan(4);
  lan.send(4, queryFrame({ ...ROUTER, vid: 7 }));
  lan.pass(10_000);
  lan.send(2, joinFrame(GROUP, { vid: 7 }));
  assert.deepEqual(lan.reach(1, GROUP, { vid: 7 }), [2, 4]);
  assert.deepEqual(lan.reach(1, GROUP, { vid: 8 }), [2, 3, 4]);
  assert.deepEqual(lan.reach(1, GROUP), [2, 3, 4]);
  assert.deepEqual(lan.routers, ['4 7 4']);
  lan.pass(261_000);
  assert.deepEqual(
    [...lan.snooper.vlans()].map(({ vid }) => vid),
    [0, 0],
    'a VLAN without members or routers is forgotten',
  );
});

test('of two queriers the lower address is elected, and a report goes to both', () => {
  const lan = new MulticastLan(4);
  lan.send(3, queryFrame({ from: '192.0.2.9' }));
  lan.send(4, queryFrame({ from: '10.0.0.200' }));
  const vlan = [...lan.snooper.vlans()].find(({ family }) => family === 4);
  assert.equal(String(vlan?.querier.address), '10.0.0.200');
  lan.send(3, queryFrame({ from: '192.0.2.9' }));
  assert.equal(vlan?.querier.port?.number, 4, 'the higher one changes nothing');
  lan.send(3, queryFrame({ from: '0.0.0.0' }));
  assert.equal(vlan?.querier.port?.number, 4, '0.0.0.0 is no router (RFC 4541, 2.1.1)');
  lan.pass(254_999);
  lan.send(3, queryFrame({ from: '192.0.2.9' }));
  assert.equal(vlan?.querier.port?.number, 4);
  lan.pass(1);
  lan.send(3, queryFrame({ from: '192.0.2.9' }));
  assert.equal(vlan?.querier.port?.number, 3, 'when it is silent, the other one is elected');
});

test('a port that goes takes its memberships and its router along', () => {
  const lan = settledLan();
  for (const port of [1, 2]) lan.send(port, joinFrame(GROUP));
  lan.bridge.setShut(lan.port(1), true);
  assert.deepEqual(lan.memberships.length, 1);
  lan.bridge.detach(lan.port(2));
  assert.deepEqual(lan.memberships, []);
  lan.bridge.setLink(lan.port(4), 'down', 'pulled');
  assert.deepEqual(lan.routers, []);
  assert.deepEqual(lan.reach(3, GROUP), []);
});

test('a port that gets no flooded groups gets those of which it is a member', () => {
  const lan = settledLan();
  lan.bridge.setSettings(lan.port(1), { ...DEFAULT_SETTINGS, floodsMulticast: false });
  lan.send(1, joinFrame(GROUP));
  assert.deepEqual(lan.reach(3, GROUP), [1, 4]);
  assert.deepEqual(lan.reach(3, '224.0.0.251'), [2, 4]);
});

test('queries of versions with sources, and those with the flag S, leave memberships as they are', () => {
  const lan = settledLan();
  lan.send(1, joinFrame(GROUP));
  lan.send(4, queryFrame({ ...ROUTER, group: GROUP, sources: ['10.0.0.1'], code: 10 }));
  lan.send(4, queryFrame({ ...ROUTER, group: GROUP, isSuppressing: true, code: 10 }));
  lan.pass(100_000);
  assert.deepEqual(lan.reach(3, GROUP), [1, 4]);
});

test('a question about a group that is not of the querier, or that its members do not hear, leaves memberships as they are', () => {
  const lan = settledLan();
  const wholeLife = 260_000;
  for (const port of [1, 2]) lan.send(port, joinFrame(GROUP));
  // As another host, as the querier behind another port, and to another group.
  lan.send(3, queryFrame({ group: GROUP, code: 0, station: 3 }));
  lan.send(3, queryFrame({ ...ROUTER, group: GROUP, code: 0 }));
  lan.send(4, queryFrame({ ...ROUTER, group: GROUP, code: 0, to: '239.9.9.9' }));
  assert.deepEqual(lan.reach(3, GROUP), [1, 2, 4]);
  lan.pass(wholeLife - 1000);
  assert.deepEqual(lan.memberships.length, 2);
});

test('a tunnel of the mesh gets frames of all sources, whatever its members want, and local ports what they want of it', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  lan.bridge.setSettings(lan.port(3), MESH_PORT_SETTINGS);
  lan.pass(40_000);
  lan.send(3, recordsFrame([{ type: 5, group: GROUP, sources: ['10.0.0.1'] }]));
  assert.deepEqual(lan.send(2, recordsFrame([{ type: 5, group: GROUP, sources: ['10.0.0.2'] }])), [3], 'reports, too');
  const reach = (number: number, from: string): number[] => lan.reach(number, GROUP, { from });
  assert.deepEqual([reach(1, '10.0.0.1'), reach(1, '10.0.0.2'), reach(1, '10.0.0.3')], [[3], [2, 3], [3]]);
  assert.deepEqual([reach(3, '10.0.0.1'), reach(3, '10.0.0.2')], [[], [2]]);
});
