import type { Vid } from '../../wire/ethernet/vid.ts';
import type { IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import { Group, GroupTable } from './group-table.ts';
import { dropSource, ListedSource, Membership, pushSource } from './membership.ts';
import { MULTICAST_LIMITS, type MulticastLimits, type StaticGroup } from './multicast-settings.ts';
import { link, SourceTable, unlink } from './source-table.ts';

const NEVER = Number.NEGATIVE_INFINITY;
const FOR_EVER = Number.POSITIVE_INFINITY;

/** Why a membership is not made. `portFull`: the port has as many memberships as it may; `full`: the database has. */
export type Refusal = 'portFull' | 'full';

/** What one port has in the database. */
class Share {
  readonly memberships = new Set<Membership>();
  /** The sources in their lists. */
  sources = 0;
}

/**
 * The multicast database (MDB): which ports have members of a group and for which sources, for each VID (RFC 4541, 2.1.2).
 * The groups are in a hash table, the memberships of each port in a set, and the lists of each source in a chain, so that
 * the end of a port, and a query for a source, touch only their own.
 *
 * A membership beyond a limit is refused, and displaces nothing: so a port with invented groups cannot end memberships
 * of others.
 *
 * A port may list as many sources as the network has room for beside those that are listed (Choudhury and Hahne, "Dynamic queue
 * length thresholds", 1998). So n ports that list as many as they can leave the part 1/(n + 1) to the others: two thirds are
 * the most that two ports take.
 */
export class MembershipDatabase {
  readonly limits: MulticastLimits;
  readonly #groups = new GroupTable();
  readonly #byPort = new Map<BridgePort, Share>();
  /** In how many groups a port is by the operator. */
  readonly #permanent = new LazyMap<BridgePort, number>();
  #memberships = 0;
  #sources = 0;
  /** Nothing expires before. */
  #nextExpiryMs = FOR_EVER;

  constructor(limits: Partial<MulticastLimits> = {}) {
    this.limits = { ...MULTICAST_LIMITS, ...limits };
  }

  /** The number of groups, counted for each VID. */
  get groups(): number {
    return this.#groups.size;
  }

  get memberships(): number {
    return this.#memberships;
  }

  /** The number of sources in the lists of all memberships. */
  get sources(): number {
    return this.#sources;
  }

  membershipsOf(port: BridgePort): number {
    return this.#byPort.get(port)?.memberships.size ?? 0;
  }

  find(vid: Vid, address: IpWords): Group | undefined {
    return this.#groups.find(vid, address);
  }

  /**
   * The membership of a port in a group. A new one wants no source yet.
   * @param most memberships of the port, beside those that the operator has set
   */
  join(vid: Vid, address: IpWords, port: BridgePort, most: number): Membership | Refusal {
    let group = this.#groups.find(vid, address);
    const known = group?.members.get(port);
    if (known !== undefined) return known;
    if (this.membershipsOf(port) >= most + (this.#permanent.get(port) ?? 0)) return 'portFull';
    const { groups, memberships } = this.limits;
    if (this.#memberships >= memberships || (group === undefined && this.#groups.size >= groups)) return 'full';
    if (group === undefined) {
      group = new Group(vid, address);
      this.#groups.add(group);
    }
    const membership = new Membership(group, port);
    this.#insert(membership);
    return membership;
  }

  /** Ends a membership, with what the operator has set. */
  remove(membership: Membership): void {
    this.#detach(membership);
    const { group } = membership;
    if (group.members.size === 0) this.#groups.remove(group);
  }

  /** Sets the group timer. Not of a permanent membership. */
  setGroupTimer(membership: Membership, untilMs: number, nowMs: number): void {
    const before = membership.groupUntilMs;
    membership.groupUntilMs = untilMs;
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, untilMs);
    // A list of ports that is in use is made anew when the former time is over.
    if (before <= nowMs || untilMs < before) markChanged(membership.group);
  }

  /** The source of this address in the list of a membership. */
  findSource({ group, sources }: Membership, address: IpWords): ListedSource | undefined {
    const source = sources.length === 0 ? undefined : group.sources?.find(address);
    return source === undefined ? undefined : sources.find((listed) => listed.source === source);
  }

  /** Adds a source that is not in the list. @returns undefined if the membership or the database has as many as it may */
  addSource(membership: Membership, address: IpWords, untilMs: number): ListedSource | undefined {
    const share = (this.#byPort.get(membership.port) as Share).sources;
    return untilMs !== FOR_EVER && this.#isFull(membership, share)
      ? undefined
      : this.#list(membership, address, untilMs);
  }

  #list(membership: Membership, address: IpWords, untilMs: number): ListedSource {
    const { group } = membership;
    group.sources ??= new SourceTable();
    const listed = new ListedSource(group.sources.take(address), membership, untilMs);
    link(listed);
    pushSource(membership, listed);
    listed.source.targetsUntilMs = NEVER;
    this.#countSource(membership, 1);
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, untilMs);
    return listed;
  }

  removeSource(listed: ListedSource): void {
    const { membership, source } = listed;
    const { group } = membership;
    unlink(listed);
    dropSource(membership, listed);
    source.targetsUntilMs = NEVER;
    this.#countSource(membership, -1);
    if (source.lists !== undefined) return;
    group.sources?.remove(source);
    if (group.sources?.size === 0) group.sources = undefined;
  }

  /** Sets a source timer. That of a source that the operator has set stays. */
  setSourceTimer(listed: ListedSource, untilMs: number, nowMs: number): void {
    const before = listed.untilMs;
    if (before === FOR_EVER) return;
    listed.untilMs = untilMs;
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, untilMs);
    if (before <= nowMs || untilMs < before) listed.source.targetsUntilMs = NEVER;
  }

  /** Removes all sources but those that the operator has set. */
  clearSources(membership: Membership): void {
    for (const listed of [...membership.sources]) if (listed.untilMs !== FOR_EVER) this.removeSource(listed);
  }

  /** In the mode INCLUDE, removes the sources whose time is over; and the membership, if nothing is left. */
  settle(membership: Membership, nowMs: number): void {
    if (membership.isExclude(nowMs)) return;
    if (membership.sources.some(({ untilMs }) => untilMs <= nowMs)) {
      for (const listed of [...membership.sources]) if (listed.untilMs <= nowMs) this.removeSource(listed);
    }
    if (membership.sources.length === 0) this.remove(membership);
  }

  /** A query for the group (RFC 3376, 6.6.1): the group timers end at `untilMs`, unless they do earlier. */
  lowerGroup(group: Group, untilMs: number, nowMs: number): void {
    for (const membership of group.members.values()) {
      const isLater = membership.groupUntilMs > untilMs && !membership.isPermanent;
      if (isLater) this.setGroupTimer(membership, untilMs, nowMs);
    }
  }

  /** A query for the group and this source: its timers end at `untilMs`, unless they do earlier. */
  lowerSource(group: Group, address: IpWords, untilMs: number, nowMs: number): void {
    for (let listed = group.sources?.find(address)?.lists; listed !== undefined; listed = listed.next) {
      if (listed.untilMs > untilMs) this.setSourceTimer(listed, untilMs, nowMs);
    }
  }

  /** The permanent memberships of a port are these, instead of the former ones. Beyond the limits of the database there are none. */
  setPermanent(port: BridgePort, wanted: readonly StaticGroup[]): void {
    this.#permanent.delete(port);
    for (const membership of this.#membershipsAt(port)) this.#unsetPermanent(membership);
    const groups = new Set<Membership>();
    for (const { vid, address, source } of wanted) {
      const membership = this.join(vid, address, port, FOR_EVER);
      if (typeof membership === 'string') continue;
      groups.add(membership);
      if (source === undefined) {
        for (const listed of [...membership.sources]) this.removeSource(listed);
        membership.groupUntilMs = FOR_EVER;
        markChanged(membership.group);
      } else if (!membership.isPermanent) {
        const known = this.findSource(membership, source);
        if (known === undefined) this.addSource(membership, source, FOR_EVER);
        else {
          known.untilMs = FOR_EVER;
          known.source.targetsUntilMs = NEVER;
        }
      }
    }
    if (groups.size > 0) this.#permanent.set(port, groups.size);
  }

  /** Ends all memberships of a port. */
  forgetPort(port: BridgePort): void {
    for (const membership of this.#membershipsAt(port)) this.remove(membership);
    this.#permanent.delete(port);
  }

  /**
   * Gives the memberships of one port to another one, which has taken its place. What the operator has set stays behind; what is set
   * for the other one, the caller sets anew.
   */
  movePort(from: BridgePort, to: BridgePort): void {
    for (const membership of this.#membershipsAt(from)) {
      this.#unsetPermanent(membership);
      const { group } = membership;
      if (!group.members.has(from)) continue;
      this.#merge(membership, group.members.get(to) ?? this.#adopt(group, to));
      // So the ports of the group are found anew.
      this.remove(membership);
    }
  }

  /** Removes what has expired. Look-ups ignore it anyway. */
  expire(nowMs: number): void {
    if (nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = FOR_EVER;
    // A removal may resize the table, so that follows.
    const expired: Membership[] = [];
    for (const group of this.#groups.groups()) {
      for (const membership of group.members.values()) {
        const nextMs = nextExpiryOf(membership, nowMs);
        if (nextMs <= nowMs) expired.push(membership);
        else this.#nextExpiryMs = Math.min(this.#nextExpiryMs, nextMs);
      }
    }
    for (const membership of expired) {
      this.settle(membership, nowMs);
      const isLeft = membership.sources.length > 0;
      if (isLeft) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, nextExpiryOf(membership, nowMs));
    }
  }

  /** The groups with memberships, in any order; expired ones included. */
  each(): IterableIterator<Group> {
    return this.#groups.groups();
  }

  /** A copy, since the set may change. */
  #membershipsAt(port: BridgePort): Membership[] {
    return [...(this.#byPort.get(port)?.memberships ?? [])];
  }

  #countSource({ port }: Membership, change: 1 | -1): void {
    this.#sources += change;
    (this.#byPort.get(port) as Share).sources += change;
  }

  /** @param share how many sources the port lists, as far as they count */
  #isFull({ sources: listed }: Membership, share: number): boolean {
    const { sources, sourcesOfMember } = this.limits;
    if (share >= sources - this.#sources) return true;
    if (listed.length < sourcesOfMember) return false;
    return listed.filter(({ untilMs }) => untilMs !== FOR_EVER).length >= sourcesOfMember;
  }

  #insert(membership: Membership): void {
    const { group, port } = membership;
    group.members.set(port, membership);
    const share = this.#byPort.get(port) ?? new Share();
    share.memberships.add(membership);
    this.#byPort.set(port, share);
    this.#memberships++;
  }

  #adopt(group: Group, port: BridgePort): Membership {
    const membership = new Membership(group, port);
    this.#insert(membership);
    return membership;
  }

  #detach(membership: Membership): void {
    const { group, port } = membership;
    for (const listed of [...membership.sources]) this.removeSource(listed);
    group.members.delete(port);
    this.#memberships--;
    markChanged(group);
    const share = this.#byPort.get(port);
    share?.memberships.delete(membership);
    if (share?.memberships.size === 0) this.#byPort.delete(port);
  }

  /** Ends what the operator has set. What hosts have told stays, unless the operator has set the whole group. */
  #unsetPermanent(membership: Membership): void {
    for (const listed of [...membership.sources]) if (listed.untilMs === FOR_EVER) this.removeSource(listed);
    const isEmpty = membership.sources.length === 0 && membership.groupUntilMs === NEVER;
    if (isEmpty || membership.isPermanent) this.remove(membership);
    // The time of what stays may be over.
    else this.#nextExpiryMs = NEVER;
  }

  /** `to` wants from now on what either has wanted. */
  #merge(from: Membership, to: Membership): void {
    const wantedUntilMs = (of: Membership, address: IpWords): number =>
      this.findSource(of, address)?.untilMs ?? of.groupUntilMs;
    const addresses = [...from.sources, ...to.sources].map(({ source }) => source.address);
    const wanted = addresses.map((address) => Math.max(wantedUntilMs(from, address), wantedUntilMs(to, address)));
    const groupUntilMs = Math.max(from.groupUntilMs, to.groupUntilMs);
    // Makes room for the list of `to`. The share of its port does not count, since the network lists no more than before.
    for (const listed of [...from.sources]) this.removeSource(listed);
    for (const [at, address] of addresses.entries()) {
      const untilMs = wanted[at] as number;
      const known = this.findSource(to, address);
      if (known !== undefined) this.setSourceTimer(known, untilMs, NEVER);
      else if (untilMs !== FOR_EVER && this.#isFull(to, 0)) to.groupUntilMs = Math.max(groupUntilMs, untilMs);
      else this.#list(to, address, untilMs);
    }
    to.groupUntilMs = Math.max(to.groupUntilMs, groupUntilMs);
    to.version1UntilMs = Math.max(to.version1UntilMs, from.version1UntilMs);
    to.olderHostUntilMs = Math.max(to.olderHostUntilMs, from.olderHostUntilMs);
  }
}

/** The ports of the group are to be found anew, for all sources. */
function markChanged(group: Group): void {
  group.targetsUntilMs = NEVER;
  group.version++;
}

/** When the first part of a membership is to be removed. */
function nextExpiryOf(membership: Membership, nowMs: number): number {
  const { groupUntilMs, sources } = membership;
  if (groupUntilMs > nowMs) return groupUntilMs;
  let nextMs = sources.length === 0 ? groupUntilMs : FOR_EVER;
  for (const { untilMs } of sources) nextMs = Math.min(nextMs, untilMs);
  return nextMs;
}
