import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinFrame, leaveFrame, octetsOf, queryFrame, recordsFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { UNTAGGED } from '../../wire/ethernet/vid.ts';
import { IpWords } from '../../wire/multicast/ip-words.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';
import type { MulticastLimits, StaticGroup } from './multicast-settings.ts';

const GROUP = '239.1.2.3';
const [IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK] = [1, 2, 3, 4, 5, 6];

function words(text: string): IpWords {
  const address = new IpWords();
  address.readIpv4(octetsOf(text), 0);
  return address;
}

/** A group of the operator; or of one of its sources, 10.0.0.`last`. */
function set(address: string, last?: number): StaticGroup {
  const source = last === undefined ? undefined : words(`10.0.0.${last}`);
  return { vid: UNTAGGED, address: words(address), source };
}

/** Sources are 10.0.0.`last`; the switch is the querier, and its hosts had the time to answer. */
class Lan extends MulticastLan {
  constructor(limits: Partial<MulticastLimits> = {}, isQuerier = true) {
    super(4, { isQuerier, limits });
    this.pass(40_000);
    this.takeHeard();
  }

  record(port: number, type: number, ...lasts: number[]): void {
    this.send(port, recordsFrame([{ type, group: GROUP, sources: lasts.map((last) => `10.0.0.${last}`) }]));
  }

  setGroups(port: number, multicastGroups: readonly StaticGroup[], multicastLimit = 512): void {
    this.bridge.setSettings(this.port(port), { ...DEFAULT_SETTINGS, multicastGroups, multicastLimit });
  }

  /** The ports of frames of a source. */
  from(last: number, group = GROUP): number[] {
    return this.reach(4, group, { from: `10.0.0.${last}` });
  }

  get kept(): { groups: number; memberships: number; sources: number } {
    const { groups, memberships, sources } = this.snooper.database;
    return { groups, memberships, sources };
  }
}

test('a record of any type that does not fit makes the port want all sources, and asks for nothing', () => {
  const cases: [mode: number, type: number][] = [
    ...[IS_IN, IS_EX, TO_IN, TO_EX, ALLOW].map((type): [number, number] => [ALLOW, type]),
    ...[IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK].map((type): [number, number] => [IS_EX, type]),
  ];
  for (const limits of [{ sourcesOfMember: 2 }, { sources: 4 }]) {
    for (const [mode, type] of cases) {
      const lan = new Lan(limits);
      const what = `${JSON.stringify(limits)}, mode ${mode}, type ${type}`;
      lan.record(1, mode, 1, 2);
      // Those that delete the others have to be longer than the list.
      const isLong = type === IS_EX || type === TO_EX;
      lan.record(1, type, 3, ...(isLong ? [4, 5] : []));
      assert.deepEqual(lan.takeQueries(), [], what);
      assert.equal(lan.snooper.counters.sourceOverflows, 1, what);
      assert.equal(lan.kept.sources, 0, what);
      lan.pass(5000);
      assert.deepEqual([lan.from(1), lan.from(3), lan.from(9)], [[1], [1], [1]], what);
    }
  }
});

test('a host may block more sources than are kept: those that are not listed are not wanted anyway', () => {
  const lan = new Lan();
  lan.record(1, ALLOW, 1, 2);
  lan.record(1, BLOCK, ...Array.from({ length: 40 }, (_, at) => at + 2));
  assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0 for 10.0.0.2`]);
  lan.pass(2000);
  assert.deepEqual([lan.from(1), lan.from(2), lan.from(9)], [[1], [], []]);
  assert.deepEqual(lan.kept, { groups: 1, memberships: 1, sources: 1 });
});

test('sources that a query asks for already are not asked for once more at the same time', () => {
  const lan = new Lan();
  lan.record(1, ALLOW, 1, 2);
  lan.record(1, BLOCK, 1);
  assert.equal(lan.takeQueries().length, 1);
  lan.record(1, BLOCK, 1);
  assert.deepEqual(lan.takeQueries(), []);
});

test('a host of an older version is taken to be there until a membership interval after its report, to the millisecond', () => {
  for (const [type, leaves] of [
    [0x16, 2000],
    [0x12, 260_000],
  ] as const) {
    const lan = new Lan();
    lan.send(1, joinFrame(GROUP, {}, type));
    lan.pass(100_000);
    lan.record(1, IS_EX);
    lan.nowMs += 159_999;
    lan.record(1, BLOCK, 1);
    assert.deepEqual(lan.takeQueries(), [], 'it may want that source');
    assert.equal(lan.snooper.counters.sourceOverflows, 0);
    lan.nowMs++;
    lan.record(1, BLOCK, 1);
    assert.deepEqual(lan.takeQueries(), [`1 ${GROUP} from 0.0.0.0 for 10.0.0.1`]);
    // A host of IGMPv1 never says that it leaves.
    const other = new Lan();
    other.send(1, joinFrame(GROUP, {}, type), leaveFrame(GROUP));
    assert.equal(other.snooper.counters.sourceOverflows, 0);
    other.nowMs += leaves - 1;
    assert.deepEqual(other.from(1), [1]);
    other.nowMs++;
    assert.deepEqual(other.from(1), []);
    const third = new Lan();
    third.send(1, joinFrame(GROUP, {}, type));
    third.pass(100_000);
    third.record(1, IS_EX);
    third.nowMs += 160_000;
    third.send(1, leaveFrame(GROUP));
    assert.equal(third.takeQueries().length, 1, 'from then on its version does not count');
  }
});

test('hosts of older versions are taken to be there behind the port that takes the place of theirs', () => {
  for (const [type, from, to] of [
    [0x16, 1, 2],
    [0x12, 1, 2],
    [0x16, 2, 1],
    [0x12, 2, 1],
  ] as const) {
    const lan = new Lan();
    lan.send(1, joinFrame(GROUP, {}, type));
    lan.record(2, IS_EX);
    lan.snooper.portMoved(lan.port(from), lan.port(to));
    lan.takeHeard();
    lan.record(to, BLOCK, 1);
    assert.deepEqual(lan.takeQueries(), []);
    lan.send(to, leaveFrame(GROUP));
    assert.equal(lan.takeQueries().length, type === 0x12 ? 0 : 1);
  }
});

test('a source that a host excludes anew is wanted by others for a membership interval from then on', () => {
  const lan = new Lan();
  lan.record(1, IS_EX);
  lan.pass(100_000);
  lan.record(1, IS_EX, 1);
  lan.nowMs += 259_999;
  assert.deepEqual([lan.from(1), lan.from(2)], [[1], [1]]);
});

test('each source is removed by the first tick behind its end', () => {
  const lan = new Lan();
  lan.record(1, ALLOW, 1);
  lan.pass(40_000);
  lan.record(1, ALLOW, 2);
  lan.pass(220_000);
  assert.deepEqual(lan.kept, { groups: 1, memberships: 1, sources: 1 });
  lan.pass(40_000);
  assert.deepEqual(lan.kept, { groups: 0, memberships: 0, sources: 0 });
});

test('what was known of the hosts of a membership that is over does not count for the next one, before a tick as well', () => {
  const lan = new Lan();
  lan.send(1, joinFrame(GROUP), leaveFrame(GROUP));
  lan.nowMs += 2001;
  lan.record(1, TO_EX, 1);
  assert.deepEqual([lan.from(1), lan.from(2)], [[], [1]]);
});

test('where no querier is, a leave asks for nothing', () => {
  const lan = new Lan({}, false);
  lan.send(1, joinFrame(GROUP), leaveFrame(GROUP));
  lan.record(2, ALLOW, 1, 2);
  lan.record(2, BLOCK, 1);
  lan.pass(5000);
  assert.deepEqual(lan.takeQueries(), []);
  assert.equal(lan.snooper.counters.queriesSent, 0);
});

test('a question of the elected querier for sources gives these 2 s, and no others', () => {
  const lan = new Lan({}, false);
  const router = { from: '10.9.9.9', station: 0xfe };
  lan.send(4, queryFrame(router));
  lan.pass(10_000);
  for (const port of [1, 2]) lan.record(port, ALLOW, 1, 2, 3);
  lan.record(3, IS_EX, 3);
  lan.send(4, queryFrame({ ...router, group: GROUP, sources: ['10.0.0.1', '10.0.0.2', '10.0.0.77'], code: 10 }));
  lan.record(2, IS_IN, 2);
  lan.nowMs += 1999;
  assert.deepEqual([lan.from(1), lan.from(2), lan.from(3), lan.from(77)], [[1, 2, 3], [1, 2, 3], [1, 2], [3]]);
  lan.nowMs++;
  assert.deepEqual([lan.from(1), lan.from(2), lan.from(3), lan.from(77)], [[3], [2, 3], [1, 2], [3]]);
});

test('what is behind the sources of a question is not asked for', () => {
  const lan = new Lan({}, false);
  const router = { from: '10.9.9.9', station: 0xfe };
  lan.send(4, queryFrame(router));
  lan.pass(10_000);
  lan.record(1, ALLOW, 1, 2);
  const query = queryFrame({ ...router, group: GROUP, sources: ['10.0.0.1', '10.0.0.2'], code: 10 });
  // The number of its sources, and its checksum: behind the header of Ethernet and 24 octets of IPv4.
  query.writeUInt16BE(1, 38 + 10);
  query.writeUInt16BE(query.readUInt16BE(38 + 2) + 1, 38 + 2);
  lan.send(4, query);
  lan.nowMs += 2000;
  assert.deepEqual([lan.from(1), lan.from(2)], [[], [1]]);
});

test('when a port goes its sources are freed, and those of others stay', () => {
  const lan = new Lan();
  lan.record(1, ALLOW, 1, 2);
  lan.record(2, ALLOW, 2, 3);
  assert.deepEqual(lan.from(2), [1, 2]);
  lan.bridge.setShut(lan.port(1), true);
  assert.deepEqual(lan.kept, { groups: 1, memberships: 1, sources: 2 });
  assert.deepEqual([lan.from(1), lan.from(2), lan.from(3)], [[], [2], [2]]);
});

test('a port that takes the place of one whose lists fill its share has all of them; with its own ones it may want all sources', () => {
  const lan = new Lan({ sources: 8 });
  lan.record(1, ALLOW, 1, 2, 3, 4);
  lan.snooper.portMoved(lan.port(1), lan.port(2));
  lan.pass(12_000);
  assert.equal(lan.kept.sources, 4);
  assert.deepEqual([lan.from(1), lan.from(4), lan.from(5)], [[2], [2], []]);

  const other = new Lan({ sourcesOfMember: 3 });
  other.record(1, ALLOW, 1, 2);
  other.pass(100_000);
  other.record(2, ALLOW, 3, 4);
  other.snooper.portMoved(other.port(1), other.port(2));
  other.pass(12_000);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((last) => other.from(last)),
    [[2], [2], [2], [2], [2]],
  );
  other.nowMs = 1_000_000 + 40_000 + 100_000 + 259_999;
  assert.deepEqual(other.from(4), [2], 'no source ends earlier than it would have');
});

test('a port with groups of the operator that takes the place of another one has these beside the memberships of that one', () => {
  const lan = new Lan();
  lan.setGroups(1, [set('239.5.5.5'), set(GROUP, 1)]);
  lan.setGroups(2, [set('239.6.6.6'), set(GROUP, 2)]);
  lan.record(1, ALLOW, 3);
  lan.send(1, joinFrame('239.6.6.6'));
  lan.snooper.portChanged(lan.port(2), false);
  lan.snooper.portMoved(lan.port(1), lan.port(2));
  lan.pass(1000);
  lan.pass(11_000);
  assert.deepEqual(
    [1, 2, 3, 4].map((last) => lan.from(last)),
    [[], [2], [2], []],
  );
  assert.deepEqual([lan.from(1, '239.5.5.5'), lan.from(1, '239.6.6.6')], [[], [2]]);
  lan.pass(300_000);
  assert.deepEqual(
    [2, 3].map((last) => lan.from(last)),
    [[2], []],
  );
  assert.deepEqual(lan.from(1, '239.6.6.6'), [2]);
});

test('groups of the operator do not count for the limit of their port while they are set', () => {
  const lan = new Lan();
  const own = [set('239.0.0.1'), set('239.0.0.2', 1)];
  lan.setGroups(1, own, 1);
  lan.send(1, joinFrame('239.0.0.3'), joinFrame('239.0.0.4'));
  assert.deepEqual([lan.snooper.refusedOf(lan.port(1)), lan.kept.memberships], [1, 3]);
  lan.setGroups(1, [], 1);
  assert.deepEqual(lan.kept, { groups: 1, memberships: 1, sources: 0 });
  lan.send(1, joinFrame('239.0.0.4'));
  assert.deepEqual([lan.snooper.refusedOf(lan.port(1)), lan.kept.memberships], [2, 1]);
});

test('groups of the operator beyond the limits of a network are not kept; a source beside its whole group takes no room', () => {
  const lan = new Lan({ groups: 1 });
  lan.setGroups(1, [set('239.0.0.1'), set('239.0.0.2'), set('239.0.0.3', 1), set('239.0.0.1', 1)]);
  assert.deepEqual(lan.kept, { groups: 1, memberships: 1, sources: 0 });
  const other = new Lan();
  other.record(1, ALLOW, 1, 2);
  assert.deepEqual(other.from(3), []);
  other.setGroups(1, [set(GROUP, 1), set(GROUP)]);
  assert.deepEqual(other.kept, { groups: 1, memberships: 1, sources: 0 });
  assert.deepEqual([other.from(1), other.from(3)], [[1], [1]]);
});

test('the end of a membership by the operator: of what hosts have told, in whole or in one source', () => {
  const lan = new Lan();
  const end = (last?: number, group = GROUP): boolean => lan.snooper.end(set(group, last), lan.port(1), lan.nowMs);
  assert.equal(end(), false, 'there is none');
  lan.setGroups(1, [set(GROUP, 1)]);
  assert.deepEqual([end(), end(1), end(2)], [false, false, false], 'it is of the operator');
  lan.record(1, ALLOW, 2, 3);
  assert.deepEqual([end(2), end(2)], [true, false]);
  assert.deepEqual([lan.from(1), lan.from(2), lan.from(3)], [[1], [], [1]]);
  assert.equal(lan.kept.sources, 2);
  assert.equal(end(), true);
  assert.deepEqual([lan.from(1), lan.from(3)], [[1], []]);
  assert.deepEqual(lan.kept, { groups: 1, memberships: 1, sources: 1 });
  lan.setGroups(1, []);
  lan.pass(1000);
  assert.deepEqual(lan.kept, { groups: 0, memberships: 0, sources: 0 });

  lan.record(1, IS_EX, 1);
  lan.record(1, ALLOW, 2);
  assert.deepEqual([end(1), end(3), end(2), end(2)], [false, false, true, false]);
  assert.deepEqual([lan.from(1), lan.from(2), lan.from(3)], [[], [], [1]]);
  assert.equal(lan.kept.sources, 2, 'both are not wanted, while all others are');
  lan.record(1, ALLOW, 4);
  assert.equal(end(), true);
  assert.deepEqual(lan.kept, { groups: 0, memberships: 0, sources: 0 });
  assert.deepEqual([lan.from(3), lan.from(4)], [[], []]);

  lan.record(1, ALLOW, 1, 2);
  assert.deepEqual([end(1), end(2)], [true, true]);
  assert.deepEqual(lan.kept, { groups: 0, memberships: 0, sources: 0 });
  lan.record(1, ALLOW, 1);
  lan.send(1, joinFrame('239.4.4.4'));
  lan.nowMs += 260_000;
  assert.deepEqual([end(1), end(), end(undefined, '239.4.4.4')], [false, false, false], 'what is over');
});
