import { RESERVED_VID, UNTAGGED, type Vid } from '../../wire/ethernet/vid.ts';
import { MAX_VID, MIN_VID } from '../../wire/ethernet/vid-set.ts';
import type { PortVlans } from '../port-vlans.ts';

/** The most probes that a port sends at a time, each in another VLAN. */
export const MOST_PROBES = 16;
/** The most suspected VLANs of a port. The rest of the probes goes round all of its VLANs. */
const MOST_SUSPECTED = 8;

/**
 * The VLANs in which a port sends its next probes: those that are suspected, and then some of all of its VLANs, those
 * that have waited longest. So a trunk of 4094 VLANs costs no more frames a second than one of 16.
 */
export class ProbeVids {
  /** The one suspected last comes first. */
  readonly #suspected: Vid[] = [];
  /** The VLAN that was probed last, of those that go round. */
  #last: Vid = UNTAGGED;

  /** Frames of this VLAN may go round a loop: it is probed each time, before others. */
  suspect(vid: Vid): void {
    const at = this.#suspected.indexOf(vid);
    if (at >= 0) this.#suspected.splice(at, 1);
    this.#suspected.unshift(vid);
    this.#suspected.length = Math.min(this.#suspected.length, MOST_SUSPECTED);
  }

  /**
   * The next ones, at most MOST_PROBES.
   * @param vlans those of the port; undefined: it is transparent, and has all VLANs, of which only frames without a tag and
   *   suspected VLANs are probed
   */
  next(vlans: PortVlans | undefined): readonly Vid[] {
    const vids = this.#suspected.filter((vid) => isVlanOf(vlans, vid));
    if (vlans === undefined) return vids.includes(UNTAGGED) ? vids : [UNTAGGED, ...vids];
    let vid = this.#last;
    for (let looked = MIN_VID; looked <= MAX_VID && vids.length < MOST_PROBES; looked++) {
      vid = (vid === MAX_VID ? MIN_VID : vid + 1) as Vid;
      if (!vlans.isMember(vid)) continue;
      this.#last = vid;
      if (!vids.includes(vid)) vids.push(vid);
    }
    return vids;
  }
}

function isVlanOf(vlans: PortVlans | undefined, vid: Vid): boolean {
  return vlans === undefined ? vid !== RESERVED_VID : vlans.isMember(vid);
}
