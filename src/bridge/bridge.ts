import { batchOf, type FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { ReservedSet } from '../wire/ethernet/reserved-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import { BridgePort, type PortNumber, type Protection } from './bridge-port.ts';
import type { AddressListener, BridgeTrace } from './bridge-trace.ts';
import { EntryControl } from './entry-control.ts';
import { FilteringDatabase, type FilteringEntry } from './fdb.ts';
import { FlowInstaller } from './flow-installer.ts';
import type { FlowTable } from './flow-table.ts';
import { LazyMap } from './lazy-map.ts';
import type { LoopDetection } from './loop-detection/loop-detection.ts';
import { type MirrorSpec, Mirrors } from './mirror/mirrors.ts';
import { type MoveReport, MoveWatch } from './move-watch.ts';
import type { Moves } from './moves.ts';
import type { MulticastOptions } from './multicast/multicast-settings.ts';
import { MulticastSnooper } from './multicast/multicast-snooper.ts';
import { NumberedMap } from './numbered-map.ts';
import { ParallelTunnels } from './parallel-tunnels.ts';
import type { Congestion, LinkState, Port } from './port.ts';
import type { PortFault } from './port-fault.ts';
import type { BridgePortSettings } from './port-settings.ts';
import type { PortTap } from './port-tap.ts';
import { frameInVlan, isSameVlans } from './port-vlans.ts';
import { ProtocolEntities, type ProtocolEntity } from './protocol-entity.ts';
import { Relay } from './relay.ts';
import { SourceGuard } from './source-guard/source-guard.ts';
import { Stages } from './stages/stages.ts';
import type { StpState } from './stp-state.ts';

export interface BridgeOptions {
  /** The ageing time (IEEE 802.1Q-2022, table 8-6). Default 300 s. */
  ageingTimeMs?: number;
  /** Limit of FDB entries. When it is reached, the port with most loses its least recently seen one. Default 65 536. */
  fdbCapacity?: number;
  /** The reserved group addresses that are forwarded nevertheless. Default none. */
  forwardReserved?: ReservedSet;
  /** Checks super-frames, and does the offloads that an egress port does not take. Default: the engine in TypeScript. */
  offloadEngine?: OffloadEngine;
  /** Forwards frames of flows without the bridge. Default: none. */
  flowTable?: FlowTable;
  /** Called when a port goes on standby for a parallel tunnel, and when it takes over. */
  parallel?: {
    standsBy(port: BridgePort, active: BridgePort): void;
    takesOver(port: BridgePort, former: BridgePort): void;
  };
  /** Called once for each port, direction and reason, at the first discard for one of FAULT_REASONS. */
  onFault?: (port: BridgePort, fault: PortFault) => void;
  /** The first value of `Bridge.trace`. */
  trace?: BridgeTrace;
}

/**
 * A transparent bridge (IEEE 802.1Q-2022, clause 8), sans-I/O: it owns no
 * timer, no clock and no socket. Its owner calls `receive` for received frames and
 * `age` about once a second, and passes the time of a monotonic clock, in milliseconds,
 * to both.
 *
 * `receive` runs each frame through the stages of stages/stages.ts. Each
 * stage also says whether further frames of the flow may take the fast path: if all
 * stages permit it, a flow is installed (FlowInstaller).
 */
export class Bridge {
  /** Told of changes of the filtering database; may be set and taken away at any time. */
  addressListener: AddressListener | undefined;
  /** Called when the bridge has shut a port that had more addresses than it may have; within `receive`. */
  onProtected: ((port: BridgePort) => void) | undefined;
  readonly sourceGuard: SourceGuard = new SourceGuard();
  /** Entries of the operator, and flushing. */
  readonly entries: EntryControl;
  readonly #ports = new NumberedMap<PortNumber, BridgePort>();
  readonly #fdb: FilteringDatabase;
  readonly #moves = new MoveWatch();
  readonly #stages: Stages;
  readonly #flows: FlowInstaller;
  #trace: BridgeTrace | undefined;
  readonly #onFault: BridgeOptions['onFault'];
  #lastNumber = 0;
  /** The port of the switch itself; undefined while it has nothing to say. */
  #internal: BridgePort | undefined;
  readonly #parallel: ParallelTunnels;
  readonly #relay: Relay;
  readonly #protocols = new ProtocolEntities();
  readonly #mirrors: Mirrors;
  readonly #mirrorTaps = new LazyMap<BridgePort, PortTap>();

  constructor(options: BridgeOptions = {}) {
    const ageingTimeMs = options.ageingTimeMs ?? 300_000;
    const capacity = options.fdbCapacity ?? 65_536;
    requireAgeingTime(ageingTimeMs);
    requireCapacity(capacity);
    const { parallel } = options;
    this.#fdb = new FilteringDatabase({
      ageingTimeMs,
      capacity,
      onLearned: (entry) => {
        this.#trace?.learned({ vid: entry.vid, mac: entry.mac, port: entry.port.number });
        if (entry.port !== this.#internal) this.addressListener?.learned(entry);
      },
      onMoved: (entry, moves, nowMs) => this.#moved(entry, moves, nowMs),
      onEvicted: (entry, nowMs) => {
        this.#flows.invalidateFlowsOf(entry, nowMs);
        this.addressListener?.aged(entry, true);
      },
    });
    this.entries = new EntryControl(this.#fdb, {
      ended: (entry) => this.addressListener?.aged(entry, false),
      changed: () => this.#flows.invalidate(),
    });
    this.#flows = new FlowInstaller(options.flowTable, this.#fdb, ageingTimeMs);
    const engine = options.offloadEngine ?? portableEngine;
    this.#mirrors = new Mirrors(engine);
    this.#stages = new Stages({
      fdb: this.#fdb,
      engine,
      relayedReserved: options.forwardReserved ?? 0,
      sourceGuard: this.sourceGuard,
      onBeyondLimit: (port) => this.#beyondLimit(port),
    });
    this.#relay = new Relay({
      ...{
        stages: this.#stages,
        flows: this.#flows,
        protocols: this.#protocols,
        engine,
        mirrors: this.#mirrors,
      },
    });
    this.trace = options.trace;
    this.#parallel = new ParallelTunnels({
      standsBy: (port, active) => {
        this.#fdb.forgetPort(port);
        this.multicast?.portChanged(port, false);
        parallel?.standsBy(port, active);
      },
      takesOver: (port, former, lost) => {
        // The former port's stations are now at this port; frames to them are flooded until they send.
        this.#fdb.forgetPort(former);
        this.multicast?.portMoved(former, port);
        port.port.tunnel?.announceLoss(lost);
        parallel?.takesOver(port, former);
      },
    });
    this.#onFault = options.onFault;
  }

  /** In ascending order of their numbers. */
  get ports(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#ports.sorted;
  }

  /** In any order, without the cost of sorting them. */
  eachPort(): IterableIterator<BridgePort> {
    return this.#ports.values();
  }

  hasPort(number: number): boolean {
    return this.#ports.has(number as PortNumber);
  }

  get fdbSize(): number {
    return this.#fdb.size;
  }

  /** The most learned addresses. */
  get fdbCapacity(): number {
    return this.#fdb.capacity;
  }

  /** How many learned addresses were displaced in a full database, since the start. */
  get fdbDisplaced(): number {
    return this.#fdb.displaced;
  }

  /**
   * Adds a port. The caller opens it, and passes its frames to `receive`.
   * @param number one that no port has; default: the next one
   */
  attach(port: Port, number: number = this.#lastNumber + 1): BridgePort {
    this.reserveNumbers(number);
    const bridgePort = new BridgePort(
      number as PortNumber,
      port,
      () => this.#policyChanged(bridgePort),
      (fault) => this.#onFault?.(bridgePort, fault),
    );
    this.#ports.set(bridgePort.number, bridgePort);
    this.#policyChanged(bridgePort);
    this.#stateChanged(bridgePort);
    return bridgePort;
  }

  /**
   * Adds the internal port, by which the switch itself sends and receives, as the device of a Linux bridge. It has the
   * number 0, is in no list, and its address in no listing of the filtering database. The caller opens it.
   */
  attachInternal(port: Port): BridgePort {
    const bridgePort = new BridgePort(0 as PortNumber, port);
    this.#internal = bridgePort;
    this.#stateChanged(bridgePort);
    return bridgePort;
  }

  detachInternal(): void {
    const bridgePort = this.#internal;
    this.#internal = undefined;
    if (bridgePort === undefined) return;
    this.#fdb.forgetPort(bridgePort);
    this.#stateChanged(bridgePort);
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Gives further ports higher numbers than this. */
  reserveNumbers(upTo: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, upTo);
  }

  /** Removes a port and its learned addresses. The caller closes it. */
  detach(bridgePort: BridgePort): void {
    this.setMirrors(bridgePort, []);
    for (const { source, specs } of this.#mirrors.without(bridgePort)) this.setMirrors(source, specs);
    this.#ports.delete(bridgePort.number);
    bridgePort.policy?.release();
    this.#relay.loopDetection?.forget(bridgePort);
    this.sourceGuard.forget(bridgePort.number);
    this.#fdb.removePort(bridgePort);
    this.#stateChanged(bridgePort);
  }

  /** Changes the ageing time; entries that are older by it are gone at once. */
  setAgeingTime(ageingTimeMs: number): void {
    requireAgeingTime(ageingTimeMs);
    this.#fdb.setAgeingTime(ageingTimeMs);
    this.#flows.setAgeingTime(ageingTimeMs);
  }

  /** Changes the most entries of the filtering database; what is beyond them is evicted. */
  setFdbCapacity(capacity: number, nowMs: number): void {
    requireCapacity(capacity);
    this.#fdb.setCapacity(capacity, nowMs);
  }

  /** Sets the administrative state of a port. Its learned addresses stay until they age; flows end at once. */
  setShut(bridgePort: BridgePort, isShut: boolean): void {
    bridgePort.isShut = isShut;
    // Opening a port is the operator's word that its cause is gone.
    if (!isShut) {
      bridgePort.protection = undefined;
      this.#relay.loopDetection?.forget(bridgePort);
    }
    this.#stateChanged(bridgePort);
  }

  /**
   * Changes the settings of a port; flows end at once. With its VLANs, its learned addresses and multicast memberships are
   * forgotten. Addresses beyond a new limit stay until they age.
   */
  setSettings(bridgePort: BridgePort, settings: BridgePortSettings): void {
    const areVlansChanged = !isSameVlans(bridgePort.vlans, settings.vlans);
    const { ipBindings, staticEntries } = bridgePort.settings;
    bridgePort.settings = settings;
    bridgePort.vlans = settings.vlans;
    if (areVlansChanged) this.#leaveVlans(bridgePort);
    this.multicast?.portChanged(bridgePort, bridgePort.isForwarding);
    if (settings.staticEntries !== staticEntries) this.entries.setStatic(bridgePort, settings.staticEntries);
    if (settings.ipBindings !== ipBindings) this.sourceGuard.setStatic(bridgePort.number, settings.ipBindings);
    this.#policyChanged(bridgePort);
  }

  /**
   * Shuts a port because of what it does, or opens it again. Its learned addresses are forgotten, since a loop has
   * brought some of them there; flows end at once.
   */
  protect(bridgePort: BridgePort, protection: Protection | undefined): void {
    bridgePort.protection = protection;
    if (protection !== undefined) this.#fdb.forgetPort(bridgePort);
    this.#stateChanged(bridgePort);
  }

  /** Takes the probes of this bridge; undefined: they are relayed like other frames. */
  set loopDetection(detection: LoopDetection | undefined) {
    this.#relay.loopDetection = detection;
  }

  /** Sets the state of a port in the active topology; flows end at once. The caller forgets its learned addresses if need be. */
  setStpState(bridgePort: BridgePort, state: StpState): void {
    if (bridgePort.stpState === state) return;
    bridgePort.stpState = state;
    this.#stateChanged(bridgePort);
  }

  /** Forgets the learned addresses of a port, as after a topology change (IEEE 802.1Q-2022, 13.27). */
  forgetAddresses(bridgePort: BridgePort): void {
    this.#fdb.forgetPort(bridgePort);
    this.#flows.invalidate();
  }

  addProtocol(entity: ProtocolEntity): void {
    this.#protocols.add(entity);
    this.#protocolsChanged();
  }

  removeProtocol(entity: ProtocolEntity): void {
    this.#protocols.remove(entity);
    this.#protocolsChanged();
  }

  /**
   * Sends a frame of the bridge itself by a port, in any state of the spanning tree, and also while `protect` shuts it.
   * @param frame with its header, without FCS; copied
   * @returns whether the port took it; a port that the operator has shut, whose link is not up, or that is reserved for
   *   a mirror, does not
   */
  transmit(bridgePort: BridgePort, frame: Uint8Array): boolean {
    const { isShut, link, isMirrorOutput } = bridgePort;
    if (isShut || link !== 'up' || isMirrorOutput || !this.#ports.has(bridgePort.number)) return false;
    const batch = batchOf(frame);
    const outer = this.#mirrors.enter(undefined);
    const refused = bridgePort.port.send(batch, 0);
    bridgePort.port.flush(false);
    this.#mirrors.leave(outer);
    if (refused === undefined) bridgePort.tx.count(frame.length, 1);
    else bridgePort.drop('tx', refused, 1, batch, 0);
    return refused === undefined;
  }

  /**
   * As `transmit`, for a frame in a VLAN: it gets the tag that the port has for it.
   * @param vid UNTAGGED: no VLAN, which only transparent ports have
   * @param frame without a tag
   */
  transmitInVlan(bridgePort: BridgePort, vid: Vid, frame: Uint8Array): boolean {
    const tagged = frameInVlan(bridgePort.vlans, vid, frame);
    return tagged !== undefined && this.transmit(bridgePort, tagged);
  }

  /** Sets the state of a port's link. Its learned addresses stay until they age; flows end at once. */
  setLink(bridgePort: BridgePort, state: LinkState, reason?: string): void {
    bridgePort.link = state;
    bridgePort.linkReason = state === 'up' ? undefined : reason;
    this.#stateChanged(bridgePort);
  }

  /**
   * Shows the frames of a port to a tap. All of its frames come to the bridge meanwhile. Flows of other ports end as
   * well, and are installed again with their next frames.
   */
  addTap(bridgePort: BridgePort, tap: PortTap): void {
    bridgePort.addTap(tap);
    this.#flows.invalidate();
  }

  /** Shows the frames of a port to the tap no more. */
  removeTap(bridgePort: BridgePort, tap: PortTap): void {
    bridgePort.removeTap(tap);
    this.#flows.invalidate();
  }

  /**
   * Replaces the mirrors of a port; none: its frames are copied no more. A mirrored port is a tapped one. The ports of
   * the copies send nothing else, and what they receive is discarded.
   */
  setMirrors(bridgePort: BridgePort, specs: readonly MirrorSpec[]): void {
    const before = this.#mirrorTaps.get(bridgePort);
    if (before === undefined && specs.length === 0) return;
    const tap = this.#mirrors.set(bridgePort, specs);
    if (before !== undefined) bridgePort.removeTap(before);
    if (tap === undefined) this.#mirrorTaps.delete(bridgePort);
    else {
      this.#mirrorTaps.set(bridgePort, tap);
      bridgePort.addTap(tap);
    }
    this.#flows.invalidate();
    for (const port of this.#ports.values()) {
      if (port.isMirrorOutput === this.#mirrors.isOutput(port)) continue;
      port.isMirrorOutput = !port.isMirrorOutput;
      this.#fdb.forgetPort(port);
      this.#stateChanged(port);
    }
  }

  /** The port of the tunnel with this id (TunnelPeer); undefined without one. */
  portOfTunnel(tunnelId: string): BridgePort | undefined {
    return this.#parallel.find(tunnelId);
  }

  /** Multicast snooping; undefined while it is off, and before the first frame to a group. */
  get multicast(): MulticastSnooper | undefined {
    return this.#stages.groupMembers.snooper;
  }

  /** Switches multicast snooping on, changes it, or switches it off. @param options undefined: off */
  setMulticast(options: MulticastOptions | undefined, nowMs: number): void {
    const { groupMembers } = this.#stages;
    if (options === undefined) {
      groupMembers.make = undefined;
      groupMembers.snooper = undefined;
      return;
    }
    groupMembers.make = (atMs) => this.#makeSnooper(options, atMs);
    if (groupMembers.snooper !== undefined) groupMembers.snooper.setQuerier(options.isQuerier, nowMs);
    else if (options.isQuerier) groupMembers.snooper = this.#makeSnooper(options, nowMs);
  }

  /** Told of each decision; no flows are installed meanwhile, and those that there are end. Without one it has no cost. */
  get trace(): BridgeTrace | undefined {
    return this.#trace;
  }

  set trace(trace: BridgeTrace | undefined) {
    this.#trace = trace;
    this.#relay.trace = trace;
    this.#flows.setEnabled(trace === undefined);
  }

  /** Removes expired entries, which look-ups ignore anyway, and sends the queries that are due. */
  age(nowMs: number): void {
    this.multicast?.tick(nowMs);
    this.sourceGuard.age(nowMs);
    this.#fdb.age(nowMs, (entry) => {
      this.#flows.invalidateFlowsOf(entry, nowMs);
      this.#trace?.aged(entry);
      this.addressListener?.aged(entry, false);
    });
  }

  /** Duplicate addresses and loops that were not reported within the last minute; to be called about once a second. */
  moveReports(nowMs: number): MoveReport[] {
    return this.#moves.reports(nowMs);
  }

  /** The learned addresses, by port, and for each port from the least recently seen one on. */
  *fdbEntries(nowMs: number): IterableIterator<FilteringEntry> {
    for (const entry of this.#fdb.entries(nowMs)) if (entry.port !== this.#internal) yield entry;
  }

  /** Where the address was learned; undefined if it was not, or is too old, or is that of the switch itself. */
  lookup(vid: Vid, mac: MacAddress, nowMs: number): BridgePort | undefined {
    const found = this.#fdb.lookup(vid, mac, nowMs);
    return found === this.#internal ? undefined : found;
  }

  /** The learned addresses of a port, from the most recently seen one on. */
  fdbEntriesAt(bridgePort: BridgePort, nowMs: number): IterableIterator<FilteringEntry> {
    return this.#fdb.entriesAt(bridgePort, nowMs);
  }

  /**
   * Forwards the frames of a batch, as `Relay.receive`.
   *
   * @returns the congestion of the only port that all frames of `ingress` have recently
   *   gone to. If the ingress port then leaves frames in its source, no other port
   *   waits, and senders notice the congestion earlier and without loss
   */
  receive(ingress: BridgePort, batch: FrameBatch, nowMs: number): Congestion | undefined {
    const isAttached = this.#ports.has(ingress.number) || ingress === this.#internal;
    return isAttached ? this.#relay.receive(ingress, batch, nowMs) : undefined;
  }

  /** Forgets what was learned at a port whose VLANs change, since it may be of a VLAN that the port has left. */
  #leaveVlans(bridgePort: BridgePort): void {
    this.#fdb.forgetPort(bridgePort);
    this.multicast?.portChanged(bridgePort, false);
  }

  #makeSnooper(options: MulticastOptions, nowMs: number): MulticastSnooper {
    const snooper = new MulticastSnooper({
      ...options,
      send: (port, vid, frame) => this.transmitInVlan(port, vid, frame),
      ports: this.#relay.forwarding,
    });
    snooper.setQuerier(options.isQuerier, nowMs);
    return snooper;
  }

  #moved(entry: FilteringEntry, moves: Moves, nowMs: number): void {
    this.#flows.invalidateFlowsOf(entry, nowMs);
    this.#moves.moved(entry, moves, nowMs);
    this.#trace?.learned({ vid: entry.vid, mac: entry.mac, port: entry.port.number, from: moves.from });
    this.addressListener?.moved(entry, moves.from);
  }

  #beyondLimit(bridgePort: BridgePort): void {
    const { macLimit, macLimitAction } = bridgePort.settings;
    if (macLimitAction !== 'shut' || bridgePort.protection !== undefined) return;
    const addresses = macLimit === 1 ? 'address' : 'addresses';
    this.protect(bridgePort, { cause: 'macLimit', reason: `frames from more than ${macLimit} ${addresses}` });
    this.onProtected?.(bridgePort);
  }

  #policyChanged(bridgePort: BridgePort): void {
    bridgePort.isEachFrameJudged = this.#stages.judgesEachFrame(bridgePort);
    this.#flows.invalidate();
  }

  #stateChanged(bridgePort: BridgePort): void {
    this.#parallel.update(bridgePort, this.#ports.has(bridgePort.number));
    this.#flows.invalidate();
    this.#listForwarding();
    this.multicast?.portChanged(bridgePort, this.#ports.has(bridgePort.number) && bridgePort.isForwarding);
  }

  #listForwarding(): void {
    const internal = this.#internal === undefined ? [] : [this.#internal];
    this.#relay.forwarding = [...this.#ports.values(), ...internal].filter((port) => port.isForwarding);
  }

  #protocolsChanged(): void {
    this.#stages.reserve(this.#protocols.addresses);
    this.#flows.invalidate();
    if (!this.#parallel.setSuspended(this.#protocols.decideParallel)) return;
    for (const port of this.#ports.values()) this.#parallel.update(port, true);
    this.#listForwarding();
  }
}

function requireAgeingTime(ageingTimeMs: number): void {
  if (!(ageingTimeMs > 0)) throw new RangeError(`ageingTimeMs must be above 0, got ${ageingTimeMs}`);
}

function requireCapacity(capacity: number): void {
  if (Number.isSafeInteger(capacity) && capacity >= 1) return;
  throw new RangeError(`fdbCapacity must be a whole number of at least 1, got ${capacity}`);
}
