import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TPID_C_TAG, TPID_S_TAG } from '../wire/ethernet/tag.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import { VidSet } from '../wire/ethernet/vid-set.ts';
import { frameInVlan, isSameVlans, PortVlans, type VlanSettings, vlanAt } from './port-vlans.ts';

const FRAME = Buffer.from(`ffffffffffff02000000000188b5${'00'.repeat(46)}`, 'hex');
const [TEN, TWENTY, THIRTY] = [10, 20, 30] as Vid[] as [Vid, Vid, Vid];
const HYBRID: VlanSettings = { mode: 'native', pvid: TEN, vlans: VidSet.of([[20, 20]]), tpid: TPID_S_TAG };
const tagOf = (frame: Uint8Array | undefined): string | undefined =>
  frame && Buffer.from(frame).toString('hex', 12, 16);

test('a frame of the bridge leaves with the tag that its VLAN has at the port, or not at all', () => {
  const port = PortVlans.of(HYBRID);
  assert.equal(frameInVlan(port, TEN, FRAME), FRAME);
  assert.equal(tagOf(frameInVlan(port, TWENTY, FRAME)), '88a80014');
  assert.equal(frameInVlan(port, THIRTY, FRAME), undefined);
  assert.equal(frameInVlan(undefined, UNTAGGED, FRAME), FRAME);
  assert.equal(tagOf(frameInVlan(undefined, TWENTY, FRAME)), '81000014');
});

test('the VLAN of a frame is read by the C-TAG at a transparent port, and by the rules of any other', () => {
  const tagged = Buffer.from(frameInVlan(undefined, TWENTY, FRAME) as Uint8Array);
  assert.equal(vlanAt(undefined, tagged, 0, tagged.length), 20);
  assert.equal(vlanAt(undefined, FRAME, 0, FRAME.length), 0);
  assert.equal(vlanAt(PortVlans.of(HYBRID), tagged, 0, tagged.length), 10, 'a C-TAG is no tag at this port');
});

test('ports have equal parts in VLANs if all settings are equal', () => {
  const port = PortVlans.of(HYBRID) as PortVlans;
  assert.equal(isSameVlans(port, PortVlans.of({ ...HYBRID, vlans: VidSet.parse('20') as VidSet })), true);
  for (const change of [{ mode: 'access' }, { pvid: TWENTY }, { vlans: VidSet.ALL }, { tpid: TPID_C_TAG }] as const) {
    assert.equal(isSameVlans(port, PortVlans.of({ ...HYBRID, ...change })), false, Object.keys(change)[0]);
  }
  assert.equal(isSameVlans(undefined, PortVlans.of({ ...HYBRID, mode: 'transparent' })), true);
  assert.deepEqual([isSameVlans(port, undefined), isSameVlans(undefined, port)], [false, false]);
  assert.equal(port.mode, 'native');
});
