import { PortVlans } from '../../src/bridge/port-vlans.ts';
import { TPID_C_TAG, TPID_S_TAG, type Tpid } from '../../src/wire/ethernet/tag.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import { VidSet } from '../../src/wire/ethernet/vid-set.ts';
import type { VlanMode } from '../../src/wire/ethernet/vlan-mode.ts';
import type { Random } from './random.ts';

/** The VLANs of flow traffic. */
const VIDS = [5, 6];

/** A random part of a port in VLANs; undefined: it is transparent. */
export function anyVlans(random: Random): PortVlans | undefined {
  const modes: readonly VlanMode[] = ['transparent', 'access', 'access', 'trunk', 'trunk', 'native'];
  return PortVlans.of({
    mode: random.pick(modes),
    pvid: (random.once(4) ? VIDS[1] : VIDS[0]) as Vid,
    vlans: random.once(4) ? VidSet.of([[VIDS[1] as number, VIDS[1] as number]]) : VidSet.ALL,
    tpid: (random.once(4) ? TPID_S_TAG : TPID_C_TAG) as Tpid,
  });
}

/** The VLAN in which most ports are. */
export const USUAL_VLAN = VIDS[0] as Vid;

/** Tags of a frame that such a port takes in this VLAN, if it is in it; hexadecimal. */
export function tagsInVlan(random: Random, vlans: PortVlans | undefined, vid: Vid): string {
  const priority = random.once(2) ? 0 : random.below(16);
  const tag = (tpid: Tpid, id: number): string =>
    tpid.toString(16) + (priority * 0x1000 + id).toString(16).padStart(4, '0');
  if (vlans === undefined) return tag(TPID_C_TAG, vid);
  if (vlans.isUntagged(vid)) return random.once(4) ? tag(vlans.tpid, 0) : '';
  return tag(vlans.tpid, vid);
}
