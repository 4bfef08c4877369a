import { isGroupAddress } from '../../wire/ethernet/mac-address.ts';
import { MAY_PASS, MUST_COME } from '../flow-permit.ts';
import type { MulticastSnooper } from '../multicast/multicast-snooper.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

const BROADCAST = 0xffff_ffff_ffff;

/**
 * Selects the ports of a frame to a group by the multicast database (IEEE 802.1Q-2022, 8.8.6; RFC 4541), and shows
 * messages of IGMP and MLD to it. Without snooping it does nothing. The decision holds for one frame, since groups
 * of IP share MAC addresses.
 */
export class GroupMembers implements Stage {
  /** undefined: snooping is off. */
  snooper: MulticastSnooper | undefined;

  apply(pass: Pass): Answer {
    return this.snooper === undefined ? MAY_PASS : this.#judge(this.snooper, pass);
  }

  #judge(snooper: MulticastSnooper, pass: Pass): Answer {
    const { destination } = pass;
    if (!isGroupAddress(destination) || destination === BROADCAST) return MAY_PASS;
    pass.isDecidedAlone = true;
    return snooper.judge(pass) ?? MUST_COME;
  }
}
