import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataFrame, joinFrame, queryFrame } from '../../../test/support/multicast-frames.ts';
import { MulticastLan } from '../../../test/support/multicast-lan.ts';
import { TPID_C_TAG, TPID_S_TAG, type Tpid } from '../../wire/ethernet/tag.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { VidSet } from '../../wire/ethernet/vid-set.ts';
import type { VlanMode } from '../../wire/ethernet/vlan-mode.ts';
import { DEFAULT_SETTINGS } from '../port-settings.ts';
import { PortVlans } from '../port-vlans.ts';

const GROUP = '239.1.2.3';

function configure(lan: MulticastLan, number: number, mode: VlanMode, pvid: number, tpid: Tpid = TPID_C_TAG): void {
  const vlans = PortVlans.of({ mode, pvid: pvid as Vid, vlans: VidSet.ALL, tpid });
  lan.bridge.setSettings(lan.port(number), { ...DEFAULT_SETTINGS, vlans });
}

/** Replaces the C-TAG of a frame by an S-TAG. */
function withServiceTag(frame: Buffer): Buffer {
  frame.writeUInt16BE(TPID_S_TAG, 12);
  return frame;
}

test('hosts at access ports join in their VLAN; queries leave each port with the tag of its frames', () => {
  const lan = new MulticastLan(4, { isQuerier: true });
  configure(lan, 1, 'access', 10);
  configure(lan, 2, 'access', 20);
  configure(lan, 3, 'trunk', 1);
  configure(lan, 4, 'access', 10);
  lan.takeHeard();
  lan.send(1, joinFrame(GROUP));
  lan.takeHeard();
  lan.pass(1000);
  assert.deepEqual(lan.takeQueries(), [
    '1 0.0.0.0 from 0.0.0.0',
    '3 0.0.0.0 from 0.0.0.0 in 10',
    '4 0.0.0.0 from 0.0.0.0',
  ]);
  lan.pass(11_000);
  assert.deepEqual(lan.reach(3, GROUP, { vid: 10 }), [1], 'from the trunk, without its tag');
  assert.equal(lan.heard[0]?.[0]?.readUInt16BE(12), 0x0800);
  assert.deepEqual(lan.reach(4, GROUP), [1]);
  assert.deepEqual(lan.reach(2, GROUP), [3], 'no querier asks in VLAN 20, so it is flooded');
});

test("messages are read behind the tags that the port reads: S-TAGs at a provider's port", () => {
  const lan = new MulticastLan(3);
  configure(lan, 1, 'trunk', 1, TPID_S_TAG);
  configure(lan, 2, 'access', 30, TPID_S_TAG);
  configure(lan, 3, 'access', 30, TPID_S_TAG);
  const query = queryFrame({ from: '10.0.0.1', vid: 30 });
  lan.send(1, withServiceTag(query));
  lan.send(2, joinFrame(GROUP));
  lan.pass(12_000);
  assert.deepEqual(lan.memberships, ['30 239.1.2.3 2 248']);
  assert.deepEqual(lan.routers, ['4 30 1']);
  assert.deepEqual(lan.send(1, withServiceTag(dataFrame(GROUP, { vid: 30 }))), [2]);
  assert.deepEqual(lan.send(3, joinFrame(GROUP)), [1]);
  // A tagged frame of a customer is of another VLAN, which the bridge does not know.
  assert.deepEqual(lan.send(3, joinFrame('239.7.7.7', { vid: 5 })), [1, 2]);
  assert.equal(lan.memberships.length, 2);
  const late = lan.plug();
  lan.takeHeard();
  lan.pass(1000);
  assert.equal(lan.takeHeard()[3]?.[0]?.readUInt16BE(12), TPID_C_TAG, 'a transparent port gets the query with a C-TAG');
  assert.equal(late.tx.frames, 1);
});
