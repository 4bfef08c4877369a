import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinFrame, leaveFrame, queryFrame, recordsFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { fuzzCases, fuzzSeed, Random } from '../../../test/support/random.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import { MESH_PORT_SETTINGS } from '../mesh/mesh-port-settings.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';

const groupOf = (number: number): string => `239.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;

test('a port has at most its limit of memberships; further ones are refused and counted', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  lan.bridge.setSettings(lan.port(1), { ...DEFAULT_SETTINGS, multicastLimit: 2 });
  lan.pass(40_000);
  for (const port of [1, 2]) {
    lan.send(port, recordsFrame([1, 2, 3, 4].map((number) => ({ type: 4, group: groupOf(number) }))));
  }
  assert.equal(lan.snooper.database.membershipsOf(lan.port(1)), 2);
  assert.equal(lan.snooper.refusedOf(lan.port(1)), 2);
  assert.equal(lan.snooper.refusedOf(lan.port(2)), 0);
  assert.deepEqual(lan.reach(3, groupOf(2)), [1, 2]);
  assert.deepEqual(lan.reach(3, groupOf(3)), [2]);
  lan.send(1, joinFrame(groupOf(1)));
  assert.equal(lan.snooper.refusedOf(lan.port(1)), 2, 'a refresh is never refused');
  lan.pass(301_000);
  lan.send(1, joinFrame(groupOf(4)));
  assert.deepEqual(lan.reach(3, groupOf(4)), [1], 'there is room when others have expired');
});

test('when the database is full, everything is flooded until no join was refused for a membership interval', () => {
  for (const limits of [
    { groups: 3, memberships: 100 },
    { groups: 100, memberships: 3 },
  ]) {
    const lan = new MulticastLan(3, { isQuerier: true, limits });
    lan.pass(40_000);
    for (const number of [1, 2, 3]) lan.send(1, joinFrame(groupOf(number)));
    assert.deepEqual(lan.reach(3, groupOf(1)), [1]);
    lan.send(2, joinFrame(groupOf(4)));
    assert.equal(lan.snooper.isOverflowing(lan.nowMs), true);
    assert.equal(lan.snooper.counters.refusedByNetwork, 1);
    assert.deepEqual(lan.reach(3, groupOf(1)), [1, 2]);
    assert.deepEqual(lan.reach(3, groupOf(4)), [1, 2]);
    lan.pass(259_999);
    assert.deepEqual(lan.reach(3, groupOf(4)), [1, 2]);
    lan.pass(1);
    lan.send(2, joinFrame(groupOf(4)));
    assert.deepEqual(lan.reach(3, groupOf(4)), [2], 'there is room again');
  }
});

const sourceOf = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
const sourcesFrom = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => sourceOf(first + at));

test('a membership with more sources than are kept wants all of them, until no record was too long for an interval', () => {
  const GROUP = groupOf(1);
  for (const [what, limits, most] of [
    ['of a membership', {}, 32],
    ['of the network', { sources: 63 }, 32],
    ['of a network that is small', { sources: 16 }, 8],
  ] as const) {
    const lan = new MulticastLan(3, { isQuerier: true, limits });
    lan.pass(40_000);
    lan.send(1, recordsFrame([{ type: 5, group: GROUP, sources: sourcesFrom(1, most) }]));
    assert.equal(lan.snooper.counters.sourceOverflows, 0, what);
    assert.deepEqual(lan.reach(3, GROUP, { from: sourceOf(1) }), [1]);
    assert.deepEqual(lan.reach(3, GROUP, { from: sourceOf(0) }), []);
    lan.send(1, recordsFrame([{ type: 5, group: GROUP, sources: [sourceOf(1000)] }]));
    assert.equal(lan.snooper.counters.sourceOverflows, 1, what);
    assert.equal(lan.snooper.database.sources, 0, 'the list is given back');
    assert.deepEqual(lan.reach(3, GROUP, { from: sourceOf(0) }), [1]);
    // What one host blocks another one may want.
    lan.send(1, recordsFrame([{ type: 6, group: GROUP, sources: [sourceOf(0)] }]));
    lan.pass(5000);
    assert.deepEqual(lan.reach(3, GROUP, { from: sourceOf(0) }), [1]);
    lan.send(1, recordsFrame([{ type: 1, group: GROUP, sources: [sourceOf(1)] }]));
    lan.pass(254_000);
    lan.send(1, recordsFrame([{ type: 1, group: GROUP, sources: [sourceOf(1)] }]));
    lan.pass(1000);
    assert.deepEqual(lan.reach(3, GROUP, { from: sourceOf(0) }), [], 'the list is short again');
    assert.deepEqual(lan.reach(3, GROUP, { from: sourceOf(1) }), [1]);
  }
});

/** A host behind the port lists as many sources as one record of each group may have. */
function listMany(lan: MulticastLan, port: number): void {
  for (let number = 0; number < 512; number++) {
    lan.send(port, recordsFrame([{ type: 5, group: groupOf(number), sources: sourcesFrom(32 * number, 32) }]));
  }
}

test('ports that list as many sources as they can leave room for lists of the others, and get it back', () => {
  const lan = new MulticastLan(7, { isQuerier: true });
  const { database, counters } = lan.snooper;
  const half = database.limits.sources / 2;
  lan.pass(40_000);
  listMany(lan, 1);
  assert.equal(database.sources, half);
  assert.equal(counters.sourceOverflows, 0, 'half of the room is enough for all groups of a port');
  listMany(lan, 2);
  listMany(lan, 3);
  assert.ok(counters.sourceOverflows > 0);
  for (const port of [4, 5]) {
    for (let number = 0; number < 20; number++) {
      lan.send(port, recordsFrame([{ type: 5, group: groupOf(number), sources: sourcesFrom(100_000, 32) }]));
      assert.deepEqual(
        lan.reach(7, groupOf(number), { from: sourceOf(0) }).includes(port),
        false,
        'not of all sources',
      );
    }
  }
  assert.deepEqual(
    [...lan.snooper.overflows()].map(([port]) => port.number),
    [2, 3],
  );
  for (const port of [2, 3, 4, 5]) lan.bridge.setShut(lan.port(port), true);
  assert.equal(database.sources, half);
  const overflowsBefore = counters.sourceOverflows;
  lan.snooper.portMoved(lan.port(1), lan.port(6));
  assert.equal(database.sources, half, 'another port that takes the place of the port has its lists');
  lan.pass(301_000);
  assert.equal(database.sources, 0);
  listMany(lan, 6);
  assert.deepEqual([database.sources, counters.sourceOverflows], [half, overflowsBefore]);
});

test('a port that takes the place of another one gets all its lists, also when others have left it a smaller share', () => {
  const lan = new MulticastLan(4, { isQuerier: true, limits: { sources: 96 } });
  const { database } = lan.snooper;
  lan.pass(40_000);
  for (const [port, groups, count] of [
    [1, [0, 1], 24],
    [2, [2], 24],
    [3, [3], 12],
  ] as const) {
    for (const number of groups) {
      lan.send(port, recordsFrame([{ type: 5, group: groupOf(number), sources: sourcesFrom(32 * number, count) }]));
    }
  }
  assert.equal(database.sources, 84);
  lan.snooper.portMoved(lan.port(1), lan.port(4));
  assert.equal(database.sources, 84);
  for (const number of [0, 1]) assert.ok(!lan.reach(2, groupOf(number), { from: sourceOf(5000) }).includes(4));
});

test('ports to other nodes of a cluster are not told of: they get all groups and sources', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  Object.assign(lan.port(1), { meshNode: 'r2' });
  for (const port of [1, 2]) lan.bridge.setSettings(lan.port(port), { ...MESH_PORT_SETTINGS, multicastLimit: 2 });
  lan.pass(40_000);
  for (const port of [1, 2]) {
    const records = [1, 2, 3].map((number) => ({ type: 5, group: groupOf(number), sources: sourcesFrom(1, 33) }));
    lan.send(port, recordsFrame(records));
  }
  const { refusedByPort, sourceOverflows } = lan.snooper.counters;
  assert.deepEqual([refusedByPort, sourceOverflows], [1, 2]);
  assert.deepEqual(
    [...lan.snooper.overflows()].map(([port, count]) => [port.number, count]),
    [[2, 2]],
  );
  assert.deepEqual(lan.reach(3, groupOf(3)), [1, 2]);
});

test('nothing is left of a membership by the operator that ends behind the last report of its group', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  lan.pass(40_000);
  const source = { vid: UNTAGGED, address: new IpWords(), source: new IpWords() };
  source.address.readIpv4(Buffer.from([239, 0, 0, 1]), 0);
  source.source.readIpv4(Buffer.from([10, 0, 0, 1]), 0);
  lan.snooper.database.setPermanent(lan.port(1), [source]);
  lan.send(1, joinFrame(groupOf(1)));
  lan.pass(270_000);
  lan.snooper.database.setPermanent(lan.port(1), []);
  lan.pass(2000);
  const { groups, memberships, sources } = lan.snooper.database;
  assert.deepEqual({ groups, memberships, sources }, { groups: 0, memberships: 0, sources: 0 });
});

test('a list that replaces a full one has its room', () => {
  const lan = new MulticastLan(3, { isQuerier: true });
  lan.pass(40_000);
  const group = groupOf(1);
  lan.send(1, recordsFrame([{ type: 4, group, sources: sourcesFrom(1, 32) }]));
  lan.send(1, recordsFrame([{ type: 4, group, sources: sourcesFrom(2, 32) }]));
  assert.equal(lan.snooper.counters.sourceOverflows, 0);
  assert.deepEqual(lan.reach(3, group, { from: sourceOf(1) }), [1]);
  assert.equal(lan.snooper.database.sources, 32);
});

test('a flood of invented sources keeps to its bounds, and all of it is given back', () => {
  const random = new Random(fuzzSeed());
  const lan = new MulticastLan(4, { isQuerier: true });
  for (let step = fuzzCases(5000); step > 0; step--) {
    const records = Array.from({ length: 4 }, () => ({
      type: random.between(1, 6),
      group: groupOf(random.below(700)),
      sources: sourcesFrom(random.next() & 0xffffff, random.pick([0, 1, 5, 32, 40])),
    }));
    lan.send(random.between(1, 4), recordsFrame(records));
    if (random.once(500)) lan.pass(1000);
    const { sources, limits } = lan.snooper.database;
    assert.ok(sources <= limits.sources, `${sources} sources`);
  }
  for (let tick = 0; tick < 3; tick++) {
    lan.nowMs += 300_000;
    lan.bridge.age(lan.nowMs);
  }
  const { groups, memberships, sources } = lan.snooper.database;
  assert.deepEqual({ groups, memberships, sources }, { groups: 0, memberships: 0, sources: 0 });
});

test('what ports join, leave and lose is what is kept, against a plain model', () => {
  const random = new Random(fuzzSeed());
  const lan = new MulticastLan(6, { limits: { groups: 24, memberships: 60 } });
  const model = new Map<string, number>();
  lan.send(6, queryFrame({ from: '10.0.0.1' }));
  lan.pass(10_000);
  for (let step = fuzzCases(20_000); step > 0; step--) {
    const port = random.between(1, 5);
    const group = groupOf(random.below(30));
    const key = `${group} ${port}`;
    switch (random.below(8)) {
      case 0:
        lan.send(6, queryFrame({ from: '10.0.0.1' }));
        lan.pass(random.between(1, 20_000));
        break;
      case 1:
        lan.send(port, leaveFrame(group));
        break;
      case 2: {
        lan.send(6, queryFrame({ from: '10.0.0.1', group, code: 10 }));
        for (const [each, untilMs] of model) {
          if (each.startsWith(`${group} `)) model.set(each, Math.min(untilMs, lan.nowMs + 2000));
        }
        break;
      }
      case 3:
        if (!random.once(10)) break;
        lan.bridge.setShut(lan.port(port), true);
        lan.bridge.setShut(lan.port(port), false);
        for (const each of [...model.keys()]) if (each.endsWith(` ${port}`)) model.delete(each);
        break;
      default: {
        lan.send(port, joinFrame(group));
        const groups = new Set([...model.keys()].map((each) => each.split(' ')[0]));
        const isRefused = !model.has(key) && (model.size >= 60 || (!groups.has(group) && groups.size >= 24));
        if (!isRefused) model.set(key, lan.nowMs + 260_000);
      }
    }
    // Refusals depend on what was freed, which happens in ticks.
    lan.bridge.age(lan.nowMs);
    for (const [each, untilMs] of model) if (untilMs <= lan.nowMs) model.delete(each);
    const kept = [...lan.snooper.memberships(lan.nowMs)].map(
      ({ group: { address }, port: { number }, untilMs }) => `${address} ${number} ${untilMs}`,
    );
    assert.deepEqual(
      kept.sort(),
      [...model].map(([each, untilMs]) => `${each} ${untilMs}`).sort(),
      `seed ${random.seed}`,
    );
    assert.equal(lan.snooper.database.memberships, model.size);
  }
});

test('a flood of invented groups, sources, VLANs and queriers keeps to its bounds', () => {
  const random = new Random(fuzzSeed());
  const lan = new MulticastLan(4, { isQuerier: true });
  const steps = fuzzCases(20_000);
  for (let step = steps; step > 0; step--) {
    const vid = random.below(4095);
    const group = groupOf(random.next() & 0xffffff);
    const port = random.between(1, 4);
    lan.send(
      port,
      random.once(4) ? queryFrame({ vid, from: `10.0.0.${random.below(256)}` }) : joinFrame(group, { vid }),
    );
    if (random.once(1000)) lan.pass(1000);
  }
  const { database, counters } = lan.snooper;
  assert.ok(database.memberships <= 4 * 512, `${database.memberships} memberships`);
  // A short run makes fewer memberships than a port may have.
  assert.ok(counters.refusedByPort > 0 || steps < 10_000);
  assert.ok([...lan.snooper.vlans()].length <= 2 * 4096);
  for (let tick = 0; tick < 3; tick++) {
    lan.nowMs += 300_000;
    lan.bridge.age(lan.nowMs);
  }
  assert.deepEqual([database.memberships, database.groups, [...lan.snooper.vlans()].length], [0, 0, 2]);
});
