import type { Vid } from '../../wire/ethernet/vid.ts';
import type { IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import { Group, GroupTable, type Membership } from './group-table.ts';
import { MULTICAST_LIMITS, type MulticastLimits, type StaticGroup } from './multicast-settings.ts';

/** The result of a join. `portFull`: the port has as many memberships as it may; `full`: the database has. */
export type Joined = 'new' | 'refreshed' | 'portFull' | 'full';

/**
 * The multicast database (MDB): which ports have members of a group, for each VID (RFC 4541, 2.1.2). The groups are in a
 * hash table, and the memberships of each port in a list, so that the end of a port touches only its own.
 *
 * A join beyond a limit is refused, and displaces nothing: so a port with invented groups cannot end memberships of
 * others.
 */
export class MembershipDatabase {
  readonly #limits: MulticastLimits;
  readonly #groups = new GroupTable();
  readonly #byPort = new Map<BridgePort, Set<Membership>>();
  #memberships = 0;
  /** No membership expires before. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(limits: MulticastLimits = MULTICAST_LIMITS) {
    this.#limits = limits;
  }

  /** The number of groups, counted for each VID. */
  get groups(): number {
    return this.#groups.size;
  }

  get memberships(): number {
    return this.#memberships;
  }

  membershipsOf(port: BridgePort): number {
    return this.#byPort.get(port)?.size ?? 0;
  }

  find(vid: Vid, address: IpWords): Group | undefined {
    return this.#groups.find(vid, address);
  }

  /** Makes a membership, or refreshes it. @param most memberships of the port */
  join(vid: Vid, address: IpWords, port: BridgePort, nowMs: number, untilMs: number, most: number): Joined {
    let group = this.#groups.find(vid, address);
    const known = group?.members.get(port);
    if (group !== undefined && known !== undefined) {
      if (isPermanent(known)) return 'refreshed';
      // One that has expired and is not removed yet is in no list of ports.
      if (known.untilMs <= nowMs) markChanged(group);
      known.untilMs = untilMs;
      return 'refreshed';
    }
    const own = this.#shareOf(port);
    if (own.size >= most) return 'portFull';
    const { groups, memberships } = this.#limits;
    if (this.#memberships >= memberships || (group === undefined && this.#groups.size >= groups)) return 'full';
    if (group === undefined) {
      group = new Group(vid, address);
      this.#groups.add(group);
    }
    this.#insert({ group, port, untilMs, sinceMs: nowMs }, own);
    return 'new';
  }

  /** Lets memberships of a group expire at `untilMs`, unless they do earlier. @param port only that of this port */
  shorten(group: Group, untilMs: number, port?: BridgePort): void {
    for (const membership of group.members.values()) {
      if (port !== undefined && membership.port !== port) continue;
      if (membership.untilMs <= untilMs || isPermanent(membership)) continue;
      membership.untilMs = untilMs;
      this.#nextExpiryMs = Math.min(this.#nextExpiryMs, untilMs);
      markChanged(group);
    }
  }

  /** Ends the membership of a port, if there is one. */
  leave(group: Group, port: BridgePort): void {
    const membership = group.members.get(port);
    if (membership !== undefined && !isPermanent(membership)) this.#remove(membership);
  }

  /** The permanent memberships of a port are these, instead of the former ones. Beyond the limits of the database there are none. */
  setPermanent(port: BridgePort, groups: readonly StaticGroup[]): void {
    for (const membership of [...(this.#byPort.get(port) ?? [])]) {
      const { vid, address } = membership.group;
      const isWanted = groups.some((wanted) => wanted.vid === vid && wanted.address.equals(address));
      if (isPermanent(membership) && !isWanted) this.#remove(membership);
    }
    for (const { vid, address } of groups) {
      const known = this.#groups.find(vid, address)?.members.get(port);
      // One that has expired is in no list of ports.
      if (known !== undefined) markChanged(known.group);
      this.join(vid, address, port, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    }
  }

  /** Ends all memberships of a port. */
  forgetPort(port: BridgePort): void {
    for (const membership of this.#byPort.get(port) ?? []) this.#remove(membership);
    this.#byPort.delete(port);
  }

  /** Gives the memberships of one port to another one, which has taken its place. */
  movePort(from: BridgePort, to: BridgePort): void {
    const share = this.#shareOf(to);
    for (const membership of [...(this.#byPort.get(from) ?? [])]) {
      const { group, untilMs } = membership;
      const known = group.members.get(to);
      // A permanent one is a setting of its port.
      if (isPermanent(membership)) {
        this.#remove(membership);
        continue;
      }
      this.#remove(membership, true);
      if (known === undefined) this.#insert({ ...membership, port: to }, share);
      else known.untilMs = Math.max(known.untilMs, untilMs);
    }
    this.#byPort.delete(from);
  }

  /** Removes memberships that have expired. Look-ups ignore these anyway. */
  expire(nowMs: number): void {
    if (nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    // A removal may resize the table, so that follows.
    const expired: Membership[] = [];
    for (const group of this.#groups.groups()) {
      for (const membership of group.members.values()) {
        if (membership.untilMs <= nowMs) expired.push(membership);
        else this.#nextExpiryMs = Math.min(this.#nextExpiryMs, membership.untilMs);
      }
    }
    for (const membership of expired) this.#remove(membership);
  }

  /** The groups with memberships, in any order; expired ones included. */
  each(): IterableIterator<Group> {
    return this.#groups.groups();
  }

  #insert(membership: Membership, share: Set<Membership>): void {
    const { group, port, untilMs } = membership;
    group.members.set(port, membership);
    share.add(membership);
    this.#memberships++;
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, untilMs);
    markChanged(group);
  }

  /** @param isMoving the group gets another member next, so that it stays even if it is empty */
  #remove(membership: Membership, isMoving = false): void {
    const { group, port } = membership;
    group.members.delete(port);
    this.#memberships--;
    markChanged(group);
    if (group.members.size === 0 && !isMoving) this.#groups.remove(group);
    const share = this.#byPort.get(port);
    share?.delete(membership);
    if (share?.size === 0) this.#byPort.delete(port);
  }

  #shareOf(port: BridgePort): Set<Membership> {
    let share = this.#byPort.get(port);
    if (share === undefined) {
      share = new Set();
      this.#byPort.set(port, share);
    }
    return share;
  }
}

/** The ports of the group are to be found anew. */
function markChanged(group: Group): void {
  group.targetsUntilMs = Number.NEGATIVE_INFINITY;
}

function isPermanent({ untilMs }: Membership): boolean {
  return untilMs === Number.POSITIVE_INFINITY;
}
