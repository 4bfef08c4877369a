import type { BridgePort } from '../bridge-port.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, EgressStage } from './stage.ts';

/**
 * Refuses to send a frame by a port that is not in the member set of its VLAN (IEEE 802.1Q-2022, 8.6.4). A transparent
 * port is in the member sets of all VLANs. A flooded frame is not even offered to ports that are not, so they count no
 * discard.
 */
export class VlanEgress implements EgressStage {
  apply({ vid }: Pass, { vlans }: BridgePort): Answer {
    return vlans === undefined || vlans.isMember(vid) ? MAY_PASS : 'vlanFiltered';
  }
}
