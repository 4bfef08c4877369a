import type { BridgePort } from '../bridge-port.ts';
import type { Group } from './group-table.ts';
import type { GroupSource } from './source-table.ts';

/** A source in the list of a membership, with its source timer (RFC 3376, 6.2.3; RFC 3810, 7.2.3). */
export class ListedSource {
  /** Its address; and the other lists that it is in. */
  readonly source: GroupSource;
  membership: Membership;
  /** Until then its frames are wanted; infinite: by the operator. A source behind its time is blocked while the mode is EXCLUDE. */
  untilMs: number;
  /** Kept by `SourceTable`: the next list of the same source. */
  next: ListedSource | undefined;

  constructor(source: GroupSource, membership: Membership, untilMs: number) {
    this.source = source;
    this.membership = membership;
    this.untilMs = untilMs;
  }
}

/** Shared by all memberships without sources, which are most. Never changed. */
const NO_SOURCES: ListedSource[] = [];

/**
 * What the hosts behind a port want of a group: the state of a router for one group at one interface (RFC 3376, 6.2; RFC
 * 3810, 7.2). All of it follows from times, so that nothing happens when a timer ends:
 *
 * - Until the group timer has ended, the filter mode is EXCLUDE: frames of all sources are wanted, but not of those in the
 *   list whose time is over.
 * - From then on it is INCLUDE: only frames of sources in the list are wanted, until their times are over.
 *
 * So a source in the list is wanted until its own time is over, in both modes; one that is not in the list, until the group
 * timer has ended. Sources whose time is over in the mode INCLUDE are removed later.
 */
export class Membership {
  readonly group: Group;
  readonly port: BridgePort;
  /** The group timer; infinite: a permanent membership, by the operator. */
  groupUntilMs: number = Number.NEGATIVE_INFINITY;
  /** Until when a host of IGMPv1 is taken to be there, and one of IGMPv2 or MLDv1 (RFC 3376, 7.3.2; RFC 3810, 8.3.2). */
  version1UntilMs: number = Number.NEGATIVE_INFINITY;
  olderHostUntilMs: number = Number.NEGATIVE_INFINITY;
  /** Changed by `MembershipDatabase` only. */
  sources: ListedSource[] = NO_SOURCES;

  constructor(group: Group, port: BridgePort) {
    this.group = group;
    this.port = port;
  }

  /** Whether the operator has made the port a member, for all sources: what hosts say changes nothing. */
  get isPermanent(): boolean {
    return this.groupUntilMs === Number.POSITIVE_INFINITY;
  }

  /** When all of it is over, unless a report comes. */
  get untilMs(): number {
    let untilMs = this.groupUntilMs;
    for (const source of this.sources) untilMs = Math.max(untilMs, source.untilMs);
    return untilMs;
  }

  isExclude(nowMs: number): boolean {
    return this.groupUntilMs > nowMs;
  }
}

/** Adds to the sources of a membership. To be called by `MembershipDatabase`. */
export function pushSource(membership: Membership, source: ListedSource): void {
  if (membership.sources === NO_SOURCES) membership.sources = [source];
  else membership.sources.push(source);
}

/** Removes a source that is in the list. To be called by `MembershipDatabase`. */
export function dropSource(membership: Membership, source: ListedSource): void {
  const { sources } = membership;
  // Their order says nothing.
  const last = sources.pop() as ListedSource;
  if (last !== source) sources[sources.indexOf(source)] = last;
  if (sources.length === 0) membership.sources = NO_SOURCES;
}
