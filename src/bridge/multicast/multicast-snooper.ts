import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../../wire/ethernet/vid.ts';
import { type IpFamily, IpWords } from '../../wire/multicast/ip-words.ts';
import { MulticastPacket } from '../../wire/multicast/multicast-packet.ts';
import { readMulticast } from '../../wire/multicast/read-multicast.ts';
import { untaggedCopy } from '../../wire/multicast/untagged-copy.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { Pass } from '../pass.ts';
import type { DiscardReason } from '../port.ts';
import { Delivery } from './delivery.ts';
import type { Membership } from './membership.ts';
import { MembershipDatabase } from './membership-database.ts';
import { MembershipReports } from './membership-reports.ts';
import { MulticastCounters } from './multicast-counters.ts';
import {
  MULTICAST_TIMERS,
  type MulticastLimits,
  type MulticastTimers,
  type StaticGroup,
} from './multicast-settings.ts';
import { MOST_QUERIES_OF_TICK, Queries, type VlanSender } from './queries.ts';
import type { SnoopedVlan } from './snooped-vlan.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];
/** A longer query is not kept. One without sources has at most 86 octets. */
const MAX_KEPT_QUERY_BYTES = 128;

export interface MulticastSnooperOptions {
  /** The MAC address of the switch in this network: the source of its queries. */
  readonly mac: MacAddress;
  /** Sends the queries. */
  readonly send: VlanSender;
  /** The ports that forward now. */
  readonly ports: Iterable<BridgePort>;
  readonly timers?: MulticastTimers | undefined;
  readonly limits?: Partial<MulticastLimits> | undefined;
}

/**
 * IGMP and MLD snooping (RFC 4541) of one network, sans-I/O: it reads the frames to group addresses that the bridge shows
 * it, and selects the ports of each. Where the RFC leaves a choice, it does as the Linux bridge:
 *
 * - Groups are kept by IP address, not by MAC address, for each VID.
 * - Until a querier is there, and hosts had the time to answer it, everything is flooded.
 * - From then on a group goes to its members and to router ports, and a group without members to router ports only.
 *   224.0.0.0/24, ff02::1, and what is no IP are always flooded.
 * - Queries are flooded. Reports and leaves go to router ports only (Linux floods leaves, and reports of IGMPv3 and MLDv2).
 * - Sources are kept as routers do (`RecordRules`): frames of a source that no member wants go to router ports only.
 *
 * When the database is full, all groups of the network are flooded until a membership interval has passed without a
 * refusal: members that are not known must not lose their frames.
 */
export class MulticastSnooper {
  readonly counters: MulticastCounters = new MulticastCounters();
  readonly database: MembershipDatabase;
  readonly #timers: MulticastTimers;
  readonly #packet = new MulticastPacket();
  readonly #delivery: Delivery;
  readonly #queries: Queries;
  readonly #reports: MembershipReports;
  /** A source of a query; scratch. */
  readonly #source = new IpWords();

  constructor(options: MulticastSnooperOptions) {
    const { mac, send, ports, timers = MULTICAST_TIMERS, limits } = options;
    this.#timers = timers;
    this.database = new MembershipDatabase(limits);
    this.#delivery = new Delivery(this.database, timers);
    this.#queries = new Queries(mac, send, timers, this.counters);
    const { database, counters } = this;
    this.#reports = new MembershipReports({
      ...{ database, delivery: this.#delivery, queries: this.#queries, timers, counters },
    });
    for (const family of FAMILIES) this.#delivery.addVlan(UNTAGGED, family);
    for (const port of ports) {
      this.#delivery.portUp(port, false);
      this.database.setPermanent(port, port.settings.multicastGroups);
    }
  }

  /** The address of the switch as a querier. */
  ownAddress(family: IpFamily): IpWords {
    return this.#queries.ownAddress(family);
  }

  get isQuerier(): boolean {
    return this.#queries.isOn;
  }

  /** Makes the switch a querier where no better one is heard, or ends that. */
  setQuerier(isOn: boolean, nowMs: number): void {
    this.#queries.isOn = isOn;
    for (const vlan of this.#delivery.vlans()) this.#queries.apply(vlan, nowMs);
    this.tick(nowMs);
  }

  /**
   * Reads the present frame, which goes to a group address, and selects its ports: those of `pass.members`, or all of
   * them if that stays undefined.
   * @returns why the frame is discarded, or undefined
   */
  judge(pass: Pass): DiscardReason | undefined {
    const { batch, start, length, vid, ingress, nowMs } = pass;
    const packet = this.#packet;
    const kind = readMulticast(packet, batch.bytes, start, length, ingress.vlans?.tpid);
    if (kind === 'foreign') return undefined;
    if (kind === 'data') {
      pass.members = this.#delivery.portsOf(vid, packet.destination, packet.source, nowMs);
      return undefined;
    }
    if (kind === 'malformed') {
      this.counters.malformed++;
      return 'badMembership';
    }
    const vlan = this.#vlan(vid, packet.source.family, nowMs);
    if (kind === 'query') this.#query(vlan, pass);
    else if (kind === 'router' || kind === 'routerGone') {
      this.counters.routerMessages++;
      if (kind === 'router') this.#delivery.markRouter(vlan, ingress, nowMs);
      else vlan.routers.remove(ingress);
    } else {
      if (kind === 'leave') {
        this.counters.leaves++;
        this.#reports.leave(vlan, packet, ingress, nowMs);
      } else {
        this.counters.reports++;
        if (kind === 'report') this.#reports.report(vlan, packet, ingress, nowMs);
        else this.#reports.records(vlan, packet, ingress, nowMs);
      }
      pass.members = this.#delivery.routersOf(vlan, nowMs);
    }
    return undefined;
  }

  /** Takes a change of a port: whether it forwards, or its settings. */
  portChanged(port: BridgePort, isForwarding: boolean): void {
    if (!isForwarding) {
      this.#forget(port);
      return;
    }
    this.#delivery.portUp(port, true);
    this.database.setPermanent(port, port.settings.multicastGroups);
  }

  /** One port takes the place of another one: both lead to the same switch. */
  portMoved(from: BridgePort, to: BridgePort): void {
    this.database.movePort(from, to);
    this.#forget(from);
    this.#delivery.portUp(to, true);
    this.database.setPermanent(to, to.settings.multicastGroups);
  }

  /** The spanning tree has changed, so members may be behind other ports now: all are asked (RFC 4541, 2.1.1, rule 5). */
  topologyChanged(): void {
    for (const port of this.#delivery.forwarding) this.#delivery.askAnew(port);
  }

  /** Ends what has expired, and sends the queries that are due. To be called about once a second. */
  tick(nowMs: number): void {
    this.database.expire(nowMs);
    const mostPorts = Math.max(1, Math.floor(MOST_QUERIES_OF_TICK / this.#delivery.vlanCount));
    const newPorts = this.#delivery.takeUngreeted(mostPorts, nowMs);
    const inUse = new Set<Vid>();
    for (const { vid } of this.database.each()) inUse.add(vid);
    this.#queries.beginTick();
    for (const vlan of this.#delivery.vlans()) {
      vlan.routers.expire(nowMs);
      const isIdle = vlan.vid !== UNTAGGED && vlan.isIdle(nowMs) && !inUse.has(vlan.vid);
      if (isIdle) this.#delivery.removeVlan(vlan);
      else {
        const areAsked = this.#queries.tick(vlan, this.#delivery.forwarding, nowMs);
        if (!areAsked) for (const port of newPorts) this.#queries.greet(port, vlan, nowMs);
      }
    }
    this.#queries.repeat(nowMs);
  }

  /** How many memberships of a port were refused at its limit. */
  refusedOf(port: BridgePort): number {
    return this.#reports.refusedOf(port);
  }

  /** The ports of which memberships were refused, and how many. */
  refusals(): Iterable<[BridgePort, number]> {
    return this.#reports.refusals();
  }

  /** The ports whose hosts told of more sources than are kept, and how often. */
  overflows(): Iterable<[BridgePort, number]> {
    return this.#reports.overflows();
  }

  /** Whether all groups are flooded, since the database was full. */
  isOverflowing(nowMs: number): boolean {
    return nowMs < this.#delivery.floodUntilMs;
  }

  /** The memberships that have not expired, in any order. */
  *memberships(nowMs: number): IterableIterator<Membership> {
    for (const { members } of this.database.each()) {
      for (const membership of members.values()) if (membership.untilMs > nowMs) yield membership;
    }
  }

  /**
   * Ends the membership of a port at once, or that in one source, but not what is by the settings of the port.
   * @returns whether there was one
   */
  end({ vid, address, source }: StaticGroup, port: BridgePort, nowMs: number): boolean {
    const membership = this.database.find(vid, address)?.members.get(port);
    if (membership === undefined || membership.isPermanent) return false;
    this.database.settle(membership, nowMs);
    if (source !== undefined) {
      const listed = this.database.findSource(membership, source);
      if (listed === undefined || listed.untilMs === Number.POSITIVE_INFINITY) return false;
      if (listed.untilMs <= nowMs) return false;
      // While the mode is EXCLUDE, a source that is not in the list is wanted; one whose time is over is not.
      this.database.setSourceTimer(listed, nowMs, nowMs);
    } else {
      const isHeard = membership.isExclude(nowMs) || membership.sources.some(({ untilMs }) => Number.isFinite(untilMs));
      if (!isHeard) return false;
      this.database.clearSources(membership);
      this.database.setGroupTimer(membership, nowMs, nowMs);
    }
    this.database.settle(membership, nowMs);
    return true;
  }

  /** The VLANs and families of which something is known. */
  vlans(): IterableIterator<SnoopedVlan> {
    return this.#delivery.vlans();
  }

  /** The ports that are router ports by their settings. */
  get permanentRouters(): Iterable<BridgePort> {
    return this.#delivery.permanentRouters;
  }

  #vlan(vid: Vid, family: IpFamily, nowMs: number): SnoopedVlan {
    const known = this.#delivery.findVlan(vid, family);
    if (known !== undefined) return known;
    const vlan = this.#delivery.addVlan(vid, family);
    this.#queries.apply(vlan, nowMs);
    return vlan;
  }

  /**
   * A general query elects its querier, and shows the way to it. That of a group gives its members less time to answer, if it
   * comes from the elected querier, and goes to the group (RFC 3376, 4.1.12): else its members would not hear it.
   */
  #query(vlan: SnoopedVlan, { ingress, batch, start, length, source, nowMs }: Pass): void {
    this.counters.queries++;
    const { group, destination, source: address, maxResponseMs, sources, isSuppressing } = this.#packet;
    const querier = { address, mac: source };
    if (group.isUnspecified) {
      // A general query has no sources (RFC 3376, 4.1.9).
      if (sources > 0) return;
      if (!vlan.querier.hear(querier, ingress, maxResponseMs, nowMs)) return;
      this.#delivery.markRouter(vlan, ingress, nowMs);
      const isKept = length <= MAX_KEPT_QUERY_BYTES;
      vlan.querier.lastQuery = isKept ? untaggedCopy(batch.bytes, start, length, ingress.vlans?.tpid) : undefined;
    } else if (!isSuppressing && destination.equals(group) && vlan.querier.isElected(querier, ingress, nowMs)) {
      const known = this.database.find(vlan.vid, group);
      const untilMs = nowMs + maxResponseMs * this.#timers.lastMemberQueryCount;
      if (known === undefined) return;
      // What asks for sources says nothing about the others (RFC 3376, 6.6.1).
      if (sources === 0) this.database.lowerGroup(known, untilMs, nowMs);
      for (let index = 0; index < sources; index++) {
        this.#packet.readSource(index, this.#source);
        this.database.lowerSource(known, this.#source, untilMs, nowMs);
      }
    }
  }

  #forget(port: BridgePort): void {
    this.database.forgetPort(port);
    this.#delivery.forgetPort(port);
    this.#queries.forgetPort(port);
    this.#reports.forgetPort(port);
  }
}
