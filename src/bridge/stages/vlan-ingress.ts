import type { Vid } from '../../wire/ethernet/vid.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';
import { type PortVlans, REFUSED_TAGGED, REFUSED_UNTAGGED, REFUSED_VID } from '../port-vlans.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * Finds the VLAN of a frame at a VLAN-aware port, and refuses frames of other types and VLANs than the port takes (IEEE
 * 802.1Q-2022, 6.9.1 and 8.6.2). Sets `pass.vid`. Further frames with the same outer tag have the same VLAN, so they may
 * take the fast path.
 */
export class VlanIngress implements Stage {
  apply(pass: Pass): Answer {
    const { vlans } = pass.ingress;
    return vlans === undefined ? MAY_PASS : this.#classify(pass, vlans);
  }

  #classify(pass: Pass, vlans: PortVlans): Answer {
    const vid = vlans.classify(pass.batch.bytes, pass.start, pass.length);
    if (vid < 0) return reasonOf(vid);
    pass.vid = vid as Vid;
    return MAY_PASS;
  }
}

function reasonOf(refusal: number): DiscardReason {
  switch (refusal) {
    case REFUSED_TAGGED:
      return 'tagDenied';
    case REFUSED_UNTAGGED:
      return 'tagMissing';
    case REFUSED_VID:
      return 'vlanFiltered';
    default:
      return 'runt';
  }
}
