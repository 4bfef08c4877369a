import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, changeFor, commandOf, membershipOf, partOf } from './membership.ts';
import { formatVids, parseVids } from './vid-list.ts';

const settingsOf = (change: Change): unknown => ('settings' in change ? change.settings : change.refusal);

test('lists of VLAN IDs', () => {
  for (const list of ['10', '10,20', '10,20,30-40', 'all', '', '1,2,4-6']) {
    assert.equal(formatVids(parseVids(list)), list);
  }
  assert.equal(formatVids(parseVids('1-4094')), 'all');
  assert.deepEqual([...parseVids('4090-9999')].at(-1), 4094);
  assert.equal(parseVids('what').size, 0);
});

test('what a port is in a VLAN', () => {
  const memberships = (settings: object): string[] =>
    [10, 20, 30].map((vid) => membershipOf(partOf(settings as Record<string, unknown>), vid));
  assert.deepEqual(memberships({}), ['passing', 'passing', 'passing']);
  assert.deepEqual(memberships({ vlanMode: 'access', pvid: 10 }), ['untagged', 'none', 'none']);
  assert.deepEqual(memberships({ vlanMode: 'trunk', vlans: '10,20' }), ['tagged', 'tagged', 'none']);
  assert.deepEqual(memberships({ vlanMode: 'trunk' }), ['tagged', 'tagged', 'tagged']);
  assert.deepEqual(memberships({ vlanMode: 'native', pvid: 10, vlans: '10,20' }), ['untagged', 'tagged', 'none']);
});

test('a change makes the port what is wanted in the VLAN, and keeps its other VLANs', () => {
  const ports = [
    { vlanMode: 'trunk', vlans: '10,20' },
    { vlanMode: 'native', pvid: 10, vlans: '20,30' },
    { vlanMode: 'native', pvid: 10, vlans: '20' },
    { vlanMode: 'access', pvid: 10 },
    {},
  ];
  for (const before of ports) {
    for (const vid of [10, 20, 30, 40]) {
      for (const wanted of ['tagged', 'untagged', 'none'] as const) {
        const part = partOf(before);
        const change = changeFor(part, vid, wanted);
        if ('refusal' in change) {
          assert.equal(wanted, 'none', change.refusal);
          continue;
        }
        const after = partOf({ ...before, ...change.settings });
        const place = `${JSON.stringify(before)} ${vid} ${wanted}`;
        assert.equal(membershipOf(after, vid), wanted, place);
        for (const other of [10, 20, 30, 40]) {
          const [was, is] = [membershipOf(part, other), membershipOf(after, other)];
          // A port has one VLAN without tags, so the former one is left; a transparent port ceases to be one.
          const isReplaced = wanted === 'untagged' && was === 'untagged';
          if (other !== vid && was !== 'passing' && !isReplaced) assert.equal(is, was, `${place}: ${other}`);
        }
      }
    }
  }
});

test('the last VLAN of a port is not taken away', () => {
  const trunk = partOf({ vlanMode: 'trunk', vlans: '10' });
  assert.match(String(settingsOf(changeFor(trunk, 10, 'none'))), /only VLAN/);
  const access = partOf({ vlanMode: 'access', pvid: 10 });
  assert.match(String(settingsOf(changeFor(access, 10, 'none'))), /access port/);
  const native = partOf({ vlanMode: 'native', pvid: 10, vlans: '20' });
  assert.deepEqual(settingsOf(changeFor(native, 20, 'none')), { vlanMode: 'access', pvid: 10 });
  assert.deepEqual(settingsOf(changeFor(native, 10, 'none')), { vlanMode: 'trunk', vlans: '20' });
});

test('the command that does the same', () => {
  const command = commandOf(3, { vlanMode: 'native', pvid: 10, vlans: '20,30' });
  assert.equal(command, 'etherws ctl setport 3 --vlan-mode native --pvid 10 --vlans 20,30');
});
