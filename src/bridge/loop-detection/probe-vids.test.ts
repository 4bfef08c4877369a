import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TPID_C_TAG } from '../../wire/ethernet/tag.ts';
import { RESERVED_VID, UNTAGGED, type Vid } from '../../wire/ethernet/vid.ts';
import { VidSet } from '../../wire/ethernet/vid-set.ts';
import { PortVlans } from '../port-vlans.ts';
import { MOST_PROBES, ProbeVids } from './probe-vids.ts';

function trunk(vlans: string): PortVlans | undefined {
  return PortVlans.of({ mode: 'trunk', pvid: 1 as Vid, vlans: VidSet.parse(vlans) as VidSet, tpid: TPID_C_TAG });
}

function suspecting(...vids: readonly number[]): ProbeVids {
  const probed = new ProbeVids();
  for (const vid of vids) probed.suspect(vid as Vid);
  return probed;
}

test('the VLAN suspected last comes first, each VLAN once, and eight at most', () => {
  assert.deepEqual(suspecting(5, 5).next(undefined), [UNTAGGED, 5]);
  assert.deepEqual(suspecting(5, 6, 5).next(undefined), [UNTAGGED, 5, 6]);
  assert.deepEqual(suspecting(5, 6, 6, 7).next(trunk('5-7')), [7, 6, 5]);
  const many = Array.from({ length: 12 }, (_, at) => at + 1);
  assert.deepEqual(suspecting(...many).next(undefined), [UNTAGGED, 12, 11, 10, 9, 8, 7, 6, 5]);
});

test('a transparent port probes frames without a tag once, and never the reserved VID', () => {
  assert.deepEqual(suspecting().next(undefined), [UNTAGGED]);
  assert.deepEqual(suspecting(UNTAGGED, 7, RESERVED_VID).next(undefined), [7, UNTAGGED]);
});

test('a port with one VLAN probes it each time', () => {
  const [probed, vlans] = [suspecting(), trunk('10')];
  for (let round = 0; round < 3; round++) assert.deepEqual(probed.next(vlans), [10], `round ${round}`);
});

test('a suspected VLAN is probed once a time, also when it is its turn', () => {
  const [probed, vlans] = [suspecting(9), trunk('1-40')];
  for (let round = 0; round < 5; round++) {
    const vids = probed.next(vlans);
    assert.equal(new Set(vids).size, MOST_PROBES, `round ${round}: ${vids.join()}`);
  }
});
