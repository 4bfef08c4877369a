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
  #snooper: MulticastSnooper | undefined;
  /** Makes the snooper with the first frame to a group, since many networks have none. undefined: snooping is off. */
  #make: ((nowMs: number) => MulticastSnooper) | undefined;

  /** undefined: snooping is off, or no frame to a group has come yet. */
  get snooper(): MulticastSnooper | undefined {
    return this.#snooper;
  }

  /** Switches snooping on, or changes it. A querier speaks at once, so it does not wait for the first frame. */
  switchOn(make: (nowMs: number) => MulticastSnooper, isQuerier: boolean, nowMs: number): void {
    this.#make = make;
    if (this.#snooper !== undefined) this.#snooper.setQuerier(isQuerier, nowMs);
    else if (isQuerier) this.#snooper = make(nowMs);
  }

  /** Switches snooping off; memberships are forgotten. */
  switchOff(): void {
    this.#make = undefined;
    this.#snooper = undefined;
  }

  apply(pass: Pass): Answer {
    return this.#make === undefined ? MAY_PASS : this.#judge(pass, this.#make);
  }

  #judge(pass: Pass, make: (nowMs: number) => MulticastSnooper): Answer {
    const { destination, nowMs } = pass;
    if (!isGroupAddress(destination) || destination === BROADCAST) return MAY_PASS;
    this.#snooper ??= make(nowMs);
    pass.isDecidedAlone = true;
    return this.#snooper.judge(pass) ?? MUST_COME;
  }
}
