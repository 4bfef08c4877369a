import { IpWords } from '../../wire/multicast/ip-words.ts';
import { BLOCK_OLD_SOURCES, MODE_IS_INCLUDE, type MulticastPacket } from '../../wire/multicast/multicast-packet.ts';
import type { BridgePort } from '../bridge-port.ts';
import { LazyMap } from '../lazy-map.ts';
import type { Delivery } from './delivery.ts';
import type { Membership } from './membership.ts';
import type { MembershipDatabase } from './membership-database.ts';
import type { MulticastCounters } from './multicast-counters.ts';
import type { MulticastTimers } from './multicast-settings.ts';
import type { Queries } from './queries.ts';
import { type GroupRecord, isJoin, OLDER_LEAVE, OLDER_REPORT, RecordRules } from './record-rules.ts';
import type { SnoopedVlan } from './snooped-vlan.ts';

export interface MembershipReportsOptions {
  readonly database: MembershipDatabase;
  readonly delivery: Delivery;
  readonly queries: Queries;
  readonly timers: MulticastTimers;
  readonly counters: MulticastCounters;
}

/**
 * Takes what hosts report: group records, and the messages of older versions as such records. It keeps to the limits of ports,
 * and asks what the rules want to be asked, if the switch is the querier; another querier asks by itself.
 */
export class MembershipReports {
  readonly #options: MembershipReportsOptions;
  readonly #rules: RecordRules;
  /** How many memberships were refused, and how many lists of sources were too long, by port. Mesh ports get all groups anyway. */
  readonly #refused = new LazyMap<BridgePort, number>();
  readonly #tooLong = new LazyMap<BridgePort, number>();

  constructor(options: MembershipReportsOptions) {
    this.#options = options;
    const { database, timers } = options;
    this.#rules = new RecordRules(database, timers.groupMembershipIntervalMs, new IpWords());
  }

  /** A report of IGMPv1, IGMPv2 or MLDv1: from now on there is an older host, for which the older rules hold. */
  report(vlan: SnoopedVlan, { group, version }: MulticastPacket, port: BridgePort, nowMs: number): void {
    const membership = this.#record(vlan, group, OLDER_REPORT, port, nowMs);
    const untilMs = nowMs + this.#options.timers.groupMembershipIntervalMs;
    if (membership === undefined) return;
    if (vlan.family === 4 && version === 1) membership.version1UntilMs = untilMs;
    else membership.olderHostUntilMs = untilMs;
  }

  leave(vlan: SnoopedVlan, { group }: MulticastPacket, port: BridgePort, nowMs: number): void {
    this.#record(vlan, group, OLDER_LEAVE, port, nowMs);
  }

  /** A report of IGMPv3 or MLDv2. Records of unknown types are ignored (RFC 3376, 4.2.12). */
  records(vlan: SnoopedVlan, packet: MulticastPacket, port: BridgePort, nowMs: number): void {
    while (packet.nextRecord()) {
      const { recordType, group } = packet;
      if (recordType < MODE_IS_INCLUDE || recordType > BLOCK_OLD_SOURCES || !group.isGroup) continue;
      this.#record(vlan, group, packet, port, nowMs);
    }
  }

  /** How many memberships of a port were refused at its limit. */
  refusedOf(port: BridgePort): number {
    return this.#refused.get(port) ?? 0;
  }

  /** The ports of which memberships were refused, and how many. */
  refusals(): Iterable<[BridgePort, number]> {
    return this.#refused;
  }

  /** The ports whose hosts told of more sources than are kept, and how often. */
  overflows(): Iterable<[BridgePort, number]> {
    return this.#tooLong;
  }

  forgetPort(port: BridgePort): void {
    this.#refused.delete(port);
    this.#tooLong.delete(port);
  }

  /** @returns the membership that the record is about, unless there is none, or it is the operator's */
  #record(
    vlan: SnoopedVlan,
    address: IpWords,
    record: GroupRecord,
    port: BridgePort,
    nowMs: number,
  ): Membership | undefined {
    if (address.isAlwaysFlooded) return undefined;
    const { database } = this.#options;
    const known = database.find(vlan.vid, address)?.members.get(port);
    if (known !== undefined) database.settle(known, nowMs);
    const isMember = known !== undefined && known.group.members.get(port) === known;
    const membership = isMember ? known : isJoin(record) ? this.#join(vlan, address, port, nowMs) : undefined;
    if (membership === undefined || membership.isPermanent) return undefined;
    if (!this.#rules.apply(membership, record, nowMs)) this.#noteOverflow(port);
    this.#ask(vlan, membership, nowMs);
    return membership;
  }

  #noteOverflow(port: BridgePort): void {
    if (port.meshNode !== undefined) return;
    this.#options.counters.sourceOverflows++;
    this.#tooLong.set(port, (this.#tooLong.get(port) ?? 0) + 1);
  }

  #join({ vid }: SnoopedVlan, group: IpWords, port: BridgePort, nowMs: number): Membership | undefined {
    const { database, delivery, counters, timers } = this.#options;
    const joined = database.join(vid, group, port, port.settings.multicastLimit);
    if (joined === 'portFull') {
      if (port.meshNode !== undefined) return undefined;
      counters.refusedByPort++;
      this.#refused.set(port, this.refusedOf(port) + 1);
    } else if (joined === 'full') {
      counters.refusedByNetwork++;
      delivery.floodUntilMs = nowMs + timers.groupMembershipIntervalMs;
    } else return joined;
    return undefined;
  }

  /**
   * What a host no longer wants ends when no other host behind the port answers a query; with fast leave at once. While another
   * querier is elected, its query lowers the timers.
   */
  #ask(vlan: SnoopedVlan, membership: Membership, nowMs: number): void {
    const { asksForGroup, asked } = this.#rules;
    if (!asksForGroup && asked.length === 0) return;
    const { database, queries, timers } = this.#options;
    const isFast = membership.port.settings.fastLeave;
    if (!isFast && vlan.querier.isOtherPresent(nowMs)) return;
    const untilMs = isFast ? nowMs : nowMs + timers.lastMemberQueryIntervalMs * timers.lastMemberQueryCount;
    const later = asked.filter((listed) => listed.untilMs > untilMs && listed.untilMs !== Number.POSITIVE_INFINITY);
    for (const listed of later) database.setSourceTimer(listed, untilMs, nowMs);
    const isGroupLater = asksForGroup && membership.groupUntilMs > untilMs;
    if (isGroupLater) database.setGroupTimer(membership, untilMs, nowMs);
    if (isFast) database.settle(membership, nowMs);
    else if (vlan.querier.isOwn(nowMs)) {
      if (later.length > 0) queries.askForMembers(vlan, membership, later, nowMs);
      if (isGroupLater) queries.askForMembers(vlan, membership, undefined, nowMs);
    }
  }
}
