import type { Vid } from '../../wire/ethernet/vid.ts';
import type { IpFamily, IpWords } from '../../wire/multicast/ip-words.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { Group } from './group-table.ts';
import type { MembershipDatabase } from './membership-database.ts';
import type { MulticastTimers } from './multicast-settings.ts';
import { SnoopedVlan } from './snooped-vlan.ts';
import type { GroupSource } from './source-table.ts';
import { type PortList, TimedPorts } from './timed-ports.ts';

/** Selects the ports to which frames of groups go, and keeps the ports that get groups without being members. */
export class Delivery {
  /** Until when all groups are flooded, since the database was full. */
  floodUntilMs: number = Number.NEGATIVE_INFINITY;
  readonly #database: MembershipDatabase;
  readonly #timers: MulticastTimers;
  readonly #vlans = new Map<number, SnoopedVlan>();
  /** The ports that forward. */
  readonly #forwarding = new Set<BridgePort>();
  /** Those that are router ports by their settings. */
  readonly #permanent = new Set<BridgePort>();
  /** Those that began to forward lately: they get all groups until the hosts behind them have answered a query. */
  readonly #new: TimedPorts;
  /** Those of them that no query was sent by yet. */
  readonly #ungreeted = new Set<BridgePort>();
  /** Changes with the router ports of any VLAN. */
  #version = 0;
  readonly #onChange = (): void => void this.#version++;

  constructor(database: MembershipDatabase, timers: MulticastTimers) {
    this.#database = database;
    this.#timers = timers;
    this.#new = new TimedPorts(this.#onChange);
  }

  findVlan(vid: Vid, family: IpFamily): SnoopedVlan | undefined {
    return this.#vlans.get(vid * 16 + family);
  }

  addVlan(vid: Vid, family: IpFamily): SnoopedVlan {
    const vlan = new SnoopedVlan(vid, family, this.#timers, this.#onChange);
    this.#vlans.set(vid * 16 + family, vlan);
    return vlan;
  }

  removeVlan({ vid, family }: SnoopedVlan): void {
    this.#vlans.delete(vid * 16 + family);
  }

  get vlanCount(): number {
    return this.#vlans.size;
  }

  vlans(): IterableIterator<SnoopedVlan> {
    return this.#vlans.values();
  }

  /** The ports of frames of a source to a group; undefined: all. */
  portsOf(vid: Vid, address: IpWords, source: IpWords, nowMs: number): readonly BridgePort[] | undefined {
    const vlan = this.findVlan(vid, address.family);
    if (vlan === undefined || address.isAlwaysFlooded || !this.#mayPrune(vlan, nowMs)) return undefined;
    const group = this.#database.find(vid, address);
    const listed = group?.sources?.find(source);
    if (group !== undefined && listed !== undefined) return this.#listOfSource(listed, vlan, group, nowMs);
    return this.#listOf(group ?? vlan, vlan, group, nowMs);
  }

  /** The ports of reports; undefined: all. */
  routersOf(vlan: SnoopedVlan, nowMs: number): readonly BridgePort[] | undefined {
    return this.#mayPrune(vlan, nowMs) ? this.#listOf(vlan, vlan, undefined, nowMs) : undefined;
  }

  /** Notes that a router was heard by a port. */
  markRouter(vlan: SnoopedVlan, port: BridgePort, nowMs: number): void {
    if (port.settings.multicastRouter !== 'auto') return;
    vlan.routers.set(port, nowMs + this.#timers.otherQuerierPresentIntervalMs, nowMs);
  }

  get permanentRouters(): Iterable<BridgePort> {
    return this.#permanent;
  }

  /** Takes a port that forwards, and its settings. @param isNew whether the hosts behind it are to be asked */
  portUp(port: BridgePort, isNew: boolean): void {
    const wasForwarding = this.#forwarding.has(port);
    this.#forwarding.add(port);
    const mode = port.settings.multicastRouter;
    if (this.#permanent.has(port) !== (mode === 'on')) {
      if (mode === 'on') this.#permanent.add(port);
      else this.#permanent.delete(port);
      this.#onChange();
    }
    if (mode === 'off') for (const vlan of this.vlans()) vlan.routers.remove(port);
    if (isNew && !wasForwarding) this.askAnew(port);
  }

  /** Sends all groups by this port until the hosts behind it have answered a query. */
  askAnew(port: BridgePort): void {
    if (this.#timers.newPortIntervalMs === 0) return;
    this.#ungreeted.add(port);
    this.#new.set(port, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** The ports that forward. */
  get forwarding(): Iterable<BridgePort> {
    return this.#forwarding;
  }

  /** New ports that no query was sent by yet, at most `most`; the caller sends one now. */
  takeUngreeted(most: number, nowMs: number): BridgePort[] {
    this.#new.expire(nowMs);
    const ports: BridgePort[] = [];
    for (const port of this.#ungreeted) {
      if (ports.length >= most) break;
      ports.push(port);
      this.#ungreeted.delete(port);
      this.#new.set(port, nowMs + this.#timers.newPortIntervalMs, nowMs);
    }
    return ports;
  }

  forgetPort(port: BridgePort): void {
    this.#forwarding.delete(port);
    this.#ungreeted.delete(port);
    this.#new.remove(port);
    if (this.#permanent.delete(port)) this.#onChange();
    for (const vlan of this.vlans()) vlan.forgetPort(port);
  }

  #mayPrune(vlan: SnoopedVlan, nowMs: number): boolean {
    return vlan.querier.isEffective(nowMs) && nowMs >= this.floodUntilMs;
  }

  #listOf(list: PortList, vlan: SnoopedVlan, group: Group | undefined, nowMs: number): readonly BridgePort[] {
    if (nowMs < list.targetsUntilMs && list.targetsVersion === this.#version) return list.targets;
    const ports = new Set(this.#permanent);
    let untilMs = this.#collectRouters(ports, vlan, nowMs);
    for (const { port, groupUntilMs } of group?.members.values() ?? []) {
      if (groupUntilMs <= nowMs) continue;
      ports.add(port);
      untilMs = Math.min(untilMs, groupUntilMs);
    }
    return this.#keep(list, ports, untilMs);
  }

  /** The same for a source that memberships list: its time decides there, and the group timer in the others. */
  #listOfSource(source: GroupSource, vlan: SnoopedVlan, group: Group, nowMs: number): readonly BridgePort[] {
    const isCurrent = source.groupVersion === group.version && source.targetsVersion === this.#version;
    if (isCurrent && nowMs < source.targetsUntilMs) return source.targets;
    const ports = new Set(this.#permanent);
    let untilMs = this.#collectRouters(ports, vlan, nowMs);
    const timers = new Map<BridgePort, number>();
    for (const { port, groupUntilMs } of group.members.values()) timers.set(port, groupUntilMs);
    for (let listed = source.lists; listed !== undefined; listed = listed.next) {
      timers.set(listed.membership.port, listed.untilMs);
    }
    for (const [port, endMs] of timers) {
      if (endMs <= nowMs) continue;
      ports.add(port);
      untilMs = Math.min(untilMs, endMs);
    }
    source.groupVersion = group.version;
    return this.#keep(source, ports, untilMs);
  }

  #collectRouters(ports: Set<BridgePort>, vlan: SnoopedVlan, nowMs: number): number {
    return Math.min(vlan.routers.collect(ports, nowMs), this.#new.collect(ports, nowMs));
  }

  #keep(list: PortList, ports: Set<BridgePort>, untilMs: number): readonly BridgePort[] {
    list.targets = [...ports];
    list.targetsUntilMs = untilMs;
    list.targetsVersion = this.#version;
    return list.targets;
  }
}
