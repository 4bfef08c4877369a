import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { type IpFamily, IpWords, linkLocalOf } from '../../wire/multicast/ip-words.ts';
import { queryFrame } from '../../wire/multicast/query-frame.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { ListedSource, Membership } from './membership.ts';
import type { MulticastCounters } from './multicast-counters.ts';
import type { MulticastTimers } from './multicast-settings.ts';
import type { QuerierIdentity } from './querier.ts';
import type { SnoopedVlan } from './snooped-vlan.ts';

/** Sends an untagged frame in a VLAN by a port. @returns whether the port took it; not if it is not a member of the VLAN */
export type VlanSender = (port: BridgePort, vid: Vid, frame: Buffer) => boolean;

/** A query that is to be sent again by a port. */
interface Repetition {
  readonly vlan: SnoopedVlan;
  readonly port: BridgePort;
  /** Of the group that is asked for; undefined: a general query. */
  readonly membership: Membership | undefined;
  /** Those that are asked for; undefined: the group. */
  readonly sources: readonly ListedSource[] | undefined;
  readonly atMs: number;
  readonly left: number;
}

/** The most queries that wait for their repetition; those beyond are sent once. */
const MAX_REPETITIONS = 4096;
/** The most sources in them. */
const MAX_REPEATED_SOURCES = 16_384;

/**
 * How many general queries are sent in a tick: what is due beyond waits for the next one. Peers decide in how many VLANs
 * there is something to ask for.
 */
export const MOST_QUERIES_OF_TICK = 4096;

/** Sends the queries of the switch (RFC 3376, 6; RFC 3810, 7), of IGMPv3 and MLDv2. Hosts of older versions answer them. */
export class Queries {
  /** Whether the switch is a querier where no other one is elected. */
  isOn = false;
  readonly #own: Readonly<Record<IpFamily, QuerierIdentity>>;
  readonly #send: VlanSender;
  readonly #timers: MulticastTimers;
  readonly #counters: MulticastCounters;
  #repetitions: Repetition[] = [];
  #repeatedSources = 0;
  /** General queries that may be sent in this tick. */
  #left = MOST_QUERIES_OF_TICK;

  constructor(mac: MacAddress, send: VlanSender, timers: MulticastTimers, counters: MulticastCounters) {
    this.#own = { 4: { address: new IpWords(), mac }, 6: { address: linkLocalOf(mac), mac } };
    this.#send = send;
    this.#timers = timers;
    this.#counters = counters;
  }

  ownAddress(family: IpFamily): IpWords {
    return this.#own[family].address;
  }

  /** Makes the switch a querier of this VLAN, or ends that. */
  apply({ querier, family }: SnoopedVlan, nowMs: number): void {
    querier.setOwn(this.isOn ? this.#own[family] : undefined, nowMs);
  }

  /** To be called before `tick` is called for each VLAN. */
  beginTick(): void {
    this.#left = MOST_QUERIES_OF_TICK;
  }

  /** Sends the general query of a VLAN by all ports, if it is due, and not too many were sent. @returns whether it was sent */
  tick(vlan: SnoopedVlan, ports: Iterable<BridgePort>, nowMs: number): boolean {
    if (this.#left <= 0 || !vlan.querier.takeDue(nowMs)) return false;
    const frame = this.#frame(vlan, undefined);
    for (const port of ports) {
      this.#transmit(vlan, port, frame);
      this.#left--;
    }
    return true;
  }

  /**
   * Asks the hosts behind a port that is new: by the switch's own query, or by that of the elected querier once more. So
   * the querier stays the same, and the other end of the port learns the way to it.
   */
  greet(port: BridgePort, vlan: SnoopedVlan, nowMs: number): void {
    const { querier } = vlan;
    if (querier.isOwn(nowMs)) {
      this.#transmit(vlan, port, this.#frame(vlan, undefined));
      const { startupQueryIntervalMs, startupQueryCount } = this.#timers;
      const asked = { membership: undefined, sources: undefined };
      this.#later({ vlan, port, ...asked, atMs: nowMs + startupQueryIntervalMs, left: startupQueryCount - 1 });
    } else if (querier.lastQuery !== undefined && querier.isOtherPresent(nowMs) && querier.port !== port) {
      this.#transmit(vlan, port, querier.lastQuery);
    }
  }

  /**
   * Asks whether there is another member behind the port of a leave, or another one for sources that a host no longer wants (RFC
   * 3376, 6.6.3; RFC 3810, 7.6.3). The caller has lowered their timers.
   * @param sources undefined: for the group
   */
  askForMembers(
    vlan: SnoopedVlan,
    membership: Membership,
    sources: readonly ListedSource[] | undefined,
    nowMs: number,
  ): void {
    const { port } = membership;
    this.#ask({ vlan, port, membership, sources, atMs: nowMs, left: this.#timers.lastMemberQueryCount }, nowMs);
  }

  /** Sends what is to be repeated now. */
  repeat(nowMs: number): void {
    const due = this.#repetitions.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#keep(({ atMs }) => atMs > nowMs);
    for (const query of due) if (query.vlan.querier.isOwn(nowMs)) this.#ask(query, nowMs);
  }

  forgetPort(port: BridgePort): void {
    if (this.#repetitions.length > 0) this.#keep((query) => query.port !== port);
  }

  #keep(isKept: (query: Repetition) => boolean): void {
    this.#repetitions = this.#repetitions.filter(isKept);
    this.#repeatedSources = this.#repetitions.reduce((sum, { sources = [] }) => sum + sources.length, 0);
  }

  /** Sends a query, and lets it be repeated. */
  #ask(query: Repetition, nowMs: number): void {
    const { vlan, port, membership, sources, left } = query;
    const { lastMemberQueryIntervalMs, lastMemberQueryCount, startupQueryIntervalMs } = this.#timers;
    // What was reported meanwhile is asked for with the flag S: other routers are not to lower its timers again.
    const isWantedFromMs = nowMs + lastMemberQueryIntervalMs * lastMemberQueryCount;
    if (membership === undefined) this.#transmit(vlan, port, this.#frame(vlan, undefined));
    else if (sources === undefined) {
      const isSuppressing = membership.groupUntilMs > isWantedFromMs;
      this.#transmit(vlan, port, this.#frame(vlan, membership.group.address, undefined, isSuppressing));
    } else {
      for (const isSuppressing of [true, false]) {
        const those = sources.filter(({ untilMs }) => untilMs > isWantedFromMs === isSuppressing);
        if (those.length === 0) continue;
        const addresses = those.map(({ source }) => source.address);
        this.#transmit(vlan, port, this.#frame(vlan, membership.group.address, addresses, isSuppressing));
      }
    }
    const intervalMs = membership === undefined ? startupQueryIntervalMs : lastMemberQueryIntervalMs;
    this.#later({ ...query, atMs: nowMs + intervalMs, left: left - 1 });
  }

  #later(repetition: Repetition): void {
    const sources = this.#repeatedSources + (repetition.sources?.length ?? 0);
    if (repetition.left <= 0 || this.#repetitions.length >= MAX_REPETITIONS || sources > MAX_REPEATED_SOURCES) return;
    this.#repetitions.push(repetition);
    this.#repeatedSources = sources;
  }

  #transmit({ vid }: SnoopedVlan, port: BridgePort, frame: Buffer): void {
    if (this.#send(port, vid, frame)) this.#counters.queriesSent++;
  }

  #frame({ family }: SnoopedVlan, group?: IpWords, sources?: readonly IpWords[], isSuppressing?: boolean): Buffer {
    const { address, mac } = this.#own[family];
    const { robustness, queryIntervalMs, queryResponseIntervalMs, lastMemberQueryIntervalMs } = this.#timers;
    const all = new IpWords();
    all.clear(family);
    return queryFrame({
      group: group ?? all,
      sourceMac: mac,
      source: address,
      maxResponseMs: group === undefined ? queryResponseIntervalMs : lastMemberQueryIntervalMs,
      robustness,
      queryIntervalMs,
      sources,
      isSuppressing,
    });
  }
}
