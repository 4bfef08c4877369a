import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinFrame, leaveFrame, queryFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan, SWITCH_MAC } from '../../../test/support/multicast-lan.ts';
import { settingsOf } from '../../networks/bridge-port-settings.ts';

const GROUP = '239.1.2.3';
const GROUP6 = 'ff15::9';
const ROUTER = { from: '192.0.2.254', station: 0xfe };

/** Four ports: a querier at port 4 has asked; port 1 is a member of both groups by its settings. */
function lanWithMember(): MulticastLan {
  const lan = new MulticastLan(4);
  lan.bridge.setSettings(lan.port(1), settingsOf({ multicastGroups: [GROUP, GROUP6] }));
  lan.send(4, queryFrame(ROUTER), queryFrame({ family: 6, station: 0xfe }));
  lan.pass(10_000);
  return lan;
}

function ask(lan: MulticastLan): void {
  lan.send(4, queryFrame(ROUTER), queryFrame({ family: 6, station: 0xfe }));
}

test('a port is a member of its groups as long as the operator wants, whatever hosts and queriers say', () => {
  const lan = lanWithMember();
  const reach = (): number[][] => [lan.reach(3, GROUP), lan.reach(3, GROUP6), lan.reach(3, '239.9.9.9')];
  const expected = [[1, 4], [1, 4], [4]];
  assert.deepEqual(reach(), expected);
  lan.send(1, joinFrame(GROUP), leaveFrame(GROUP));
  lan.send(4, queryFrame({ ...ROUTER, group: GROUP, code: 10 }));
  for (let times = 0; times < 5; times++) {
    lan.pass(100_000);
    ask(lan);
  }
  assert.deepEqual(reach(), expected);

  lan.bridge.setSettings(lan.port(1), settingsOf({ multicastGroups: [GROUP, GROUP6], fastLeave: true }));
  lan.send(1, leaveFrame(GROUP));
  assert.deepEqual(reach(), expected, 'a fast leave is one of a host');

  lan.bridge.setSettings(lan.port(1), settingsOf({ multicastGroups: [GROUP6] }));
  assert.deepEqual(reach(), [[4], [1, 4], [4]]);
  lan.bridge.setSettings(lan.port(1), settingsOf({}));
  assert.deepEqual(reach(), [[4], [4], [4]]);
});

test('it is one again when the port or the snooping comes back, and the groups of hosts have the limit for themselves', () => {
  const lan = lanWithMember();
  lan.bridge.setShut(lan.port(1), true);
  assert.deepEqual(lan.reach(3, GROUP), [4]);
  lan.bridge.setShut(lan.port(1), false);
  // A port that is new gets all groups for a while.
  lan.pass(20_000);
  ask(lan);
  assert.deepEqual(lan.reach(3, GROUP), [1, 4]);
  lan.bridge.setSettings(lan.port(1), settingsOf({ multicastGroups: [GROUP, GROUP6], multicastLimit: 1 }));
  lan.send(1, joinFrame('239.0.0.1'), joinFrame('239.0.0.2'));
  assert.equal(lan.snooper.refusedOf(lan.port(1)), 1);
  assert.deepEqual([lan.reach(3, '239.0.0.1'), lan.reach(3, '239.0.0.2')], [[1, 4], [4]]);

  const options = { mac: SWITCH_MAC, isQuerier: false };
  lan.bridge.setMulticast(undefined, lan.nowMs);
  lan.bridge.setMulticast(options, lan.nowMs);
  ask(lan);
  lan.pass(10_000);
  assert.deepEqual(lan.reach(3, GROUP), [1, 4]);
});

test('a host’s membership becomes the operator’s, and ends with that', () => {
  const lan = lanWithMember();
  lan.send(2, joinFrame(GROUP));
  lan.bridge.setSettings(lan.port(2), settingsOf({ multicastGroups: [GROUP] }));
  lan.pass(200_000);
  ask(lan);
  lan.pass(200_000);
  ask(lan);
  assert.deepEqual(lan.reach(3, GROUP), [1, 2, 4]);
  lan.bridge.setSettings(lan.port(2), settingsOf({}));
  assert.deepEqual(lan.reach(3, GROUP), [1, 4]);
});

test('groups are told in one form, and those of a link are none', async () => {
  const { groupList } = await import('../../schema/binding-values.ts');
  const v = await import('valibot');
  const read = (...items: string[]): unknown => {
    const result = v.safeParse(groupList, items);
    return result.success ? result.output : undefined;
  };
  assert.deepEqual(read('FF05:0::5@0', '239.1.1.1@4094', '239.1.1.1@4094'), ['239.1.1.1@4094', 'ff05::5']);
  assert.deepEqual(read('239.1.1.1', 'none'), []);
  assert.deepEqual(read('FF35::5=2001:DB8:0::1@7', '232.1.1.1=192.0.2.1@0'), [
    '232.1.1.1=192.0.2.1',
    'ff35::5=2001:db8::1@7',
  ]);
  for (const wrong of [
    '224.0.0.5',
    'ff02::1',
    '192.0.2.1',
    'fe80::1',
    '239.1.1.1@4095',
    '239.1.1',
    '',
    '@4',
    'ff05::5@',
    '232.1.1.1=',
    '232.1.1.1=0.0.0.0',
    '232.1.1.1=239.1.1.1',
    '232.1.1.1=2001:db8::1',
    'ff35::5=::',
    'ff35::5=ff05::1',
    '=192.0.2.1',
    '232.1.1.1@7=192.0.2.1',
  ]) {
    assert.equal(read(wrong), undefined, wrong);
  }
  const [issue] = v.safeParse(groupList, ['239.1.1.1@4095']).issues ?? [];
  assert.match(issue?.message ?? '', /GROUP=SOURCE@VID, such as 239\.1\.2\.3@10.*at most 4094.* 224\.0\.0\.0\/24/);
});
