import type { IpWords } from '../../wire/multicast/ip-words.ts';
import {
  ALLOW_NEW_SOURCES,
  BLOCK_OLD_SOURCES,
  CHANGE_TO_EXCLUDE,
  CHANGE_TO_INCLUDE,
  MODE_IS_EXCLUDE,
  MODE_IS_INCLUDE,
} from '../../wire/multicast/multicast-packet.ts';
import type { ListedSource, Membership } from './membership.ts';
import type { MembershipDatabase } from './membership-database.ts';

/** A group record: what a host behind a port tells of one group. */
export interface GroupRecord {
  readonly recordType: number;
  /** How many sources it lists. */
  readonly sources: number;
  readSource(index: number, address: IpWords): void;
}

/** A report of IGMPv1, IGMPv2 or MLDv1, and a leave or done, as records (RFC 3376, 7.3.2; RFC 3810, 8.3.2). */
export const OLDER_REPORT: GroupRecord = { recordType: MODE_IS_EXCLUDE, sources: 0, readSource: () => undefined };
export const OLDER_LEAVE: GroupRecord = { recordType: CHANGE_TO_INCLUDE, sources: 0, readSource: () => undefined };

/** Whether a record makes a membership where there is none. */
export function isJoin({ recordType, sources }: GroupRecord): boolean {
  if (recordType === MODE_IS_EXCLUDE || recordType === CHANGE_TO_EXCLUDE) return true;
  return recordType !== BLOCK_OLD_SOURCES && sources > 0;
}

/**
 * The tables of RFC 3376, 6.4.1 and 6.4.2, which are those of RFC 3810, 7.4.1 and 7.4.2: what a group record changes in
 * the state of its port. In their terms, X and A are the sources in the list whose time is not over, and Y those whose time is.
 *
 * `apply` also says what is to be asked: "Send Q(G)" and "Send Q(G,A)". Lowering the timers of that is up to the querier.
 */
export class RecordRules {
  /** Whether the group is to be asked for, after `apply`. */
  asksForGroup = false;
  /** The sources that are to be asked for, after `apply`. */
  asked: ListedSource[] = [];
  readonly #database: MembershipDatabase;
  readonly #intervalMs: number;
  readonly #address: IpWords;
  /** The sources of the record that were in the list before, or are now. */
  readonly #named = new Set<ListedSource>();

  /** @param intervalMs Group Membership Interval @param address scratch */
  constructor(database: MembershipDatabase, intervalMs: number, address: IpWords) {
    this.#database = database;
    this.#intervalMs = intervalMs;
    this.#address = address;
  }

  /**
   * Applies a record to a membership that is settled (`MembershipDatabase.settle`) or new, and not permanent.
   * @returns false if it has more sources than are kept: from then on the port wants all sources, as with a host of IGMPv2, until
   *   no record was too long for a membership interval
   */
  apply(membership: Membership, record: GroupRecord, nowMs: number): boolean {
    this.asksForGroup = false;
    this.asked = [];
    this.#named.clear();
    const { recordType } = record;
    const isOlder = nowMs < Math.max(membership.olderHostUntilMs, membership.version1UntilMs);
    if (isOlder && recordType === BLOCK_OLD_SOURCES) return true;
    if (recordType === CHANGE_TO_INCLUDE && nowMs < membership.version1UntilMs) return true;
    const isShort = recordType === CHANGE_TO_EXCLUDE && isOlder;
    const isKept = this.#change(membership, record, isShort ? 0 : record.sources, nowMs);
    if (!isKept) this.#widen(membership, nowMs);
    return isKept;
  }

  #change(membership: Membership, record: GroupRecord, sources: number, nowMs: number): boolean {
    // Before its sources are read, which may be thousands.
    const isLong = sources > this.#database.limits.sourcesOfMember;
    if (isLong && record.recordType !== BLOCK_OLD_SOURCES) return false;
    switch (record.recordType) {
      case MODE_IS_INCLUDE:
      case ALLOW_NEW_SOURCES:
        return this.#include(membership, record, sources, nowMs);
      case CHANGE_TO_INCLUDE:
        return this.#changeToInclude(membership, record, sources, nowMs);
      case BLOCK_OLD_SOURCES:
        return this.#block(membership, record, sources, nowMs);
      default:
        return this.#exclude(membership, record, sources, nowMs);
    }
  }

  /** IS_IN (B), ALLOW (B): (B) = GMI. */
  #include(membership: Membership, record: GroupRecord, sources: number, nowMs: number): boolean {
    const untilMs = nowMs + this.#intervalMs;
    for (let index = 0; index < sources; index++) {
      const listed = this.#nameSource(membership, record, index, untilMs);
      if (listed === undefined) return false;
      this.#database.setSourceTimer(listed, untilMs, nowMs);
    }
    return true;
  }

  /** TO_IN (B): the same, and Send Q(G,A−B), or Q(G,X−B) and Q(G). */
  #changeToInclude(membership: Membership, record: GroupRecord, sources: number, nowMs: number): boolean {
    this.asksForGroup = membership.isExclude(nowMs);
    const wanted = membership.sources.filter(({ untilMs }) => untilMs > nowMs);
    if (!this.#include(membership, record, sources, nowMs)) return false;
    this.asked = wanted.filter((listed) => !this.#named.has(listed));
    return true;
  }

  /**
   * BLOCK (B). In INCLUDE (A): Send Q(G,A*B). In EXCLUDE (X,Y): (B−X−Y) = Group Timer, Send Q(G,B−Y).
   */
  #block(membership: Membership, record: GroupRecord, sources: number, nowMs: number): boolean {
    for (let index = 0; index < sources; index++) {
      record.readSource(index, this.#address);
      const known = this.#database.findSource(membership, this.#address);
      if (known === undefined && !membership.isExclude(nowMs)) continue;
      if (!this.#mark(known ?? this.#add(membership, membership.groupUntilMs))) return false;
    }
    this.asked = [...this.#named].filter(({ untilMs }) => untilMs > nowMs);
    return true;
  }

  /**
   * IS_EX (B), TO_EX (B). INCLUDE (A) becomes EXCLUDE (A*B, B−A), with (B−A) = 0; EXCLUDE (X,Y) becomes EXCLUDE (B−Y, Y*B),
   * with (B−X−Y) = GMI, or the Group Timer for TO_EX. Sources that are not in B are deleted. Group Timer = GMI. For TO_EX
   * Send Q(G,A*B), or Q(G,B−Y).
   */
  #exclude(membership: Membership, record: GroupRecord, sources: number, nowMs: number): boolean {
    const isChange = record.recordType === CHANGE_TO_EXCLUDE;
    const untilMs = nowMs + this.#intervalMs;
    const newUntilMs = !membership.isExclude(nowMs) ? nowMs : isChange ? membership.groupUntilMs : untilMs;
    // What is deleted makes room for what is new.
    for (let index = 0; index < sources; index++) {
      record.readSource(index, this.#address);
      const known = this.#database.findSource(membership, this.#address);
      if (known !== undefined) this.#mark(known);
    }
    for (const listed of [...membership.sources]) {
      const isGone = !this.#named.has(listed) && listed.untilMs !== Number.POSITIVE_INFINITY;
      if (isGone) this.#database.removeSource(listed);
    }
    for (let index = 0; index < sources; index++) {
      if (this.#nameSource(membership, record, index, newUntilMs) === undefined) return false;
    }
    if (isChange) this.asked = [...this.#named].filter((listed) => listed.untilMs > nowMs);
    this.#database.setGroupTimer(membership, untilMs, nowMs);
    return true;
  }

  /** The source of the record in the list, to which it is added if it is not there. undefined: the list is full. */
  #nameSource(
    membership: Membership,
    record: GroupRecord,
    index: number,
    newUntilMs: number,
  ): ListedSource | undefined {
    record.readSource(index, this.#address);
    const listed = this.#database.findSource(membership, this.#address) ?? this.#add(membership, newUntilMs);
    this.#mark(listed);
    return listed;
  }

  #add(membership: Membership, untilMs: number): ListedSource | undefined {
    return this.#database.addSource(membership, this.#address, untilMs);
  }

  #mark(listed: ListedSource | undefined): boolean {
    if (listed !== undefined) this.#named.add(listed);
    return listed !== undefined;
  }

  /** All sources are wanted, since the list is too long to be kept. */
  #widen(membership: Membership, nowMs: number): void {
    this.asksForGroup = false;
    this.#database.clearSources(membership);
    membership.olderHostUntilMs = nowMs + this.#intervalMs;
    this.#database.setGroupTimer(membership, nowMs + this.#intervalMs, nowMs);
  }
}
