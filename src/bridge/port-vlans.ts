import { vidOf } from '../wire/ethernet/ethernet-frame.ts';
import { CUT_TAG, NO_TAG, TPID_C_TAG, type Tpid, tciOf } from '../wire/ethernet/tag.ts';
import { RESERVED_VID, UNTAGGED, type Vid, vidOfTci } from '../wire/ethernet/vid.ts';
import type { VidSet } from '../wire/ethernet/vid-set.ts';
import { withTag } from '../wire/ethernet/vid-tag.ts';
import type { VlanMode } from '../wire/ethernet/vlan-mode.ts';

/** The settings of a port that concern VLANs. */
export interface VlanSettings {
  readonly mode: VlanMode;
  /** The VLAN of frames without a tag, 1 to 4094. Not used by `trunk`. */
  readonly pvid: Vid;
  /** The VLANs with tags. Not used by `access`. */
  readonly vlans: VidSet;
  /** The kind of tags at this port: those that are read, and those that are written. */
  readonly tpid: Tpid;
}

/** The answers of `PortVlans.classify` for a frame that is in no VLAN of the port. */
export const REFUSED_TAGGED = -1;
export const REFUSED_UNTAGGED = -2;
export const REFUSED_VID = -3;
export const REFUSED_RUNT = -4;

/**
 * A VLAN-aware port (IEEE 802.1Q-2022, 8.4 and 8.6.1 to 8.6.4): acceptable frame types, the PVID, the member set and the
 * untagged set. Ingress filtering is always on. Immutable.
 */
export class PortVlans implements VlanSettings {
  readonly mode: VlanMode;
  readonly pvid: Vid;
  readonly vlans: VidSet;
  readonly tpid: Tpid;
  /** Acceptable frame types (6.9): frames with a VID of their own; untagged and priority-tagged frames. */
  readonly #takesTagged: boolean;
  readonly #takesUntagged: boolean;

  private constructor({ mode, pvid, vlans, tpid }: VlanSettings) {
    this.mode = mode;
    this.pvid = pvid;
    this.vlans = vlans;
    this.tpid = tpid;
    this.#takesTagged = mode !== 'access';
    this.#takesUntagged = mode !== 'trunk';
  }

  /** @returns undefined for a transparent port */
  static of(settings: VlanSettings): PortVlans | undefined {
    return settings.mode === 'transparent' ? undefined : new PortVlans(settings);
  }

  /**
   * The VLAN of a received frame (6.9), if the port takes it.
   * @param length at least HEADER_BYTES
   * @returns a VID, 4095 included; or one of the negative answers
   */
  classify(bytes: Uint8Array, start: number, length: number): number {
    const tci = tciOf(bytes, start, length, this.tpid);
    if (tci === NO_TAG) return this.#takesUntagged ? this.pvid : REFUSED_UNTAGGED;
    if (tci === CUT_TAG) return REFUSED_RUNT;
    const vid = vidOfTci(tci);
    if (vid === UNTAGGED) return this.#takesUntagged ? this.pvid : REFUSED_UNTAGGED;
    if (vid === RESERVED_VID) return vid;
    if (!this.#takesTagged) return REFUSED_TAGGED;
    return this.isMember(vid) ? vid : REFUSED_VID;
  }

  /** Whether the port is in the member set of the VLAN (8.8.10). */
  isMember(vid: Vid): boolean {
    return this.isUntagged(vid) || (this.#takesTagged && this.vlans.has(vid));
  }

  /** Whether frames of the VLAN leave without a tag: the untagged set (8.8.2). */
  isUntagged(vid: Vid): boolean {
    return this.#takesUntagged && vid === this.pvid;
  }
}

/**
 * The VLAN of a frame as it is at a port: when it comes in, and when it leaves.
 * @param vlans undefined: those of a transparent port, where 0 stands for no VLAN
 * @param length at least HEADER_BYTES
 * @returns a VID, or a negative number for a frame that the port does not take
 */
export function vlanAt(vlans: PortVlans | undefined, bytes: Uint8Array, start: number, length: number): number {
  return vlans === undefined ? vidOf(bytes, start, length) : vlans.classify(bytes, start, length);
}

/**
 * A frame of the bridge itself as it leaves by a port: with a tag of the VLAN, or without.
 * @param vlans undefined: those of a transparent port, which sends frames of VLAN 0 without a tag
 * @param frame without a tag
 * @returns undefined: the port is not in the VLAN
 */
export function frameInVlan(vlans: PortVlans | undefined, vid: Vid, frame: Uint8Array): Uint8Array | undefined {
  if (vlans === undefined) return vid === UNTAGGED ? frame : withTag(frame, TPID_C_TAG, vid);
  if (vlans.isUntagged(vid)) return frame;
  return vlans.isMember(vid) ? withTag(frame, vlans.tpid, vid) : undefined;
}

/** Whether two ports have equal parts in VLANs. */
export function isSameVlans(one: PortVlans | undefined, other: PortVlans | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.mode === other.mode &&
    one.pvid === other.pvid &&
    one.tpid === other.tpid &&
    String(one.vlans) === String(other.vlans)
  );
}
