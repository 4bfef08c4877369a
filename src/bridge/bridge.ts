import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import { portableEngine } from '../wire/offload/engine.ts';
import { type BridgeOptions, requireAgeingTime, requireCapacity } from './bridge-options.ts';
import { BridgePort, type PortNumber, type Protection } from './bridge-port.ts';
import { BridgePorts } from './bridge-ports.ts';
import type { AddressListener, BridgeTrace } from './bridge-trace.ts';
import { EntryControl } from './entry-control.ts';
import { FilteringDatabase, type FilteringEntry } from './fdb.ts';
import { FlowInstaller } from './flow-installer.ts';
import type { LoopDetection } from './loop-detection/loop-detection.ts';
import { BridgeMesh } from './mesh/bridge-mesh.ts';
import { settingsFor } from './mesh/mesh-port-settings.ts';
import { type MirrorSpec, Mirrors } from './mirror/mirrors.ts';
import { type MoveReport, MoveWatch } from './move-watch.ts';
import type { Moves } from './moves.ts';
import { makeSnooper } from './multicast/make-snooper.ts';
import type { MulticastOptions } from './multicast/multicast-settings.ts';
import type { MulticastSnooper } from './multicast/multicast-snooper.ts';
import { ParallelTunnels } from './parallel-tunnels.ts';
import type { Congestion, LinkState, Port } from './port.ts';
import type { BridgePortSettings } from './port-settings.ts';
import type { PortTap } from './port-tap.ts';
import { frameInVlan, isSameVlans } from './port-vlans.ts';
import { ProtocolEntities, type ProtocolEntity } from './protocol-entity.ts';
import { Relay } from './relay.ts';
import { SourceGuard } from './source-guard/source-guard.ts';
import { Stages } from './stages/stages.ts';
import { HostSnooper } from './stations/host-snooper.ts';
import type { StpState } from './stp-state.ts';
import { transmit } from './transmit.ts';

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
  /** What snooping knows about stations; told nothing unless `setHostSnooping` turns it on. */
  readonly hosts: HostSnooper;
  /** What it does for the other nodes of a cluster. */
  readonly mesh: BridgeMesh;
  readonly #ports = new BridgePorts();
  readonly #fdb: FilteringDatabase;
  readonly #moves = new MoveWatch();
  readonly #stages: Stages;
  readonly #flows: FlowInstaller;
  #trace: BridgeTrace | undefined;
  readonly #onFault: BridgeOptions['onFault'];
  readonly #parallel: ParallelTunnels;
  readonly #relay: Relay;
  readonly #protocols = new ProtocolEntities();
  readonly #mirrors: Mirrors;

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
        if (entry.port !== this.#ports.internal) this.addressListener?.learned(entry);
      },
      onMoved: (entry, moves, nowMs) => this.#moved(entry, moves, nowMs),
      onEvicted: (entry, nowMs) => {
        this.#flows.invalidateFlowsOf(entry, nowMs);
        this.addressListener?.aged(entry, true);
      },
      onHostEnded: (facts) => this.hosts.ended(facts),
    });
    this.hosts = new HostSnooper(this.#fdb);
    this.entries = new EntryControl(this.#fdb, {
      ended: (entry) => this.addressListener?.aged(entry, false),
      changed: () => this.#flows.invalidate(),
    });
    this.#flows = new FlowInstaller(options.flowTable, this.#fdb, ageingTimeMs);
    this.mesh = new BridgeMesh(this.#fdb, this.#flows);
    const engine = options.offloadEngine ?? portableEngine;
    this.#mirrors = new Mirrors(engine);
    this.#stages = new Stages({
      fdb: this.#fdb,
      engine,
      relayedReserved: options.forwardReserved ?? 0,
      sourceGuard: this.sourceGuard,
      onBeyondLimit: (port) => this.#beyondLimit(port),
      mesh: this.mesh,
    });
    this.#relay = new Relay({
      stages: this.#stages,
      flows: this.#flows,
      protocols: this.#protocols,
      engine,
      mirrors: this.#mirrors,
      mesh: this.mesh,
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
    return this.#ports.hasNumber(number);
  }

  get fdbSize(): number {
    return this.#fdb.size;
  }

  /** The number of addresses at a port, learned and set. */
  fdbSizeAt(port: BridgePort): number {
    return this.#fdb.sizeAt(port);
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
  attach(port: Port, number: number = this.#ports.lastNumber + 1): BridgePort {
    const bridgePort = new BridgePort(
      number as PortNumber,
      port,
      () => this.#policyChanged(bridgePort),
      (fault) => this.#onFault?.(bridgePort, fault),
    );
    this.#ports.add(bridgePort);
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
    this.#ports.internal = bridgePort;
    this.#stateChanged(bridgePort);
    return bridgePort;
  }

  detachInternal(): void {
    const bridgePort = this.#ports.internal;
    this.#ports.internal = undefined;
    if (bridgePort === undefined) return;
    this.#fdb.forgetPort(bridgePort);
    this.#stateChanged(bridgePort);
  }

  get lastNumber(): number {
    return this.#ports.lastNumber;
  }

  /** Gives further ports higher numbers than this. */
  reserveNumbers(upTo: number): void {
    this.#ports.reserveNumbers(upTo);
  }

  /** Removes a port and its learned addresses. The caller closes it. */
  detach(bridgePort: BridgePort): void {
    this.setMirrors(bridgePort, []);
    for (const { source, specs } of this.#mirrors.without(bridgePort)) this.setMirrors(source, specs);
    this.#ports.remove(bridgePort);
    bridgePort.policy?.release();
    this.#relay.loopDetection?.forget(bridgePort);
    this.sourceGuard.forget(bridgePort.number);
    this.hosts.removePort(bridgePort);
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
  setSettings(bridgePort: BridgePort, wanted: BridgePortSettings): void {
    const settings = settingsFor(bridgePort, wanted);
    const areVlansChanged = !isSameVlans(bridgePort.vlans, settings.vlans);
    const { ipBindings, staticEntries, isIsolated } = bridgePort.settings;
    bridgePort.settings = settings;
    if (settings.isIsolated !== isIsolated) this.mesh.isolationChanged(bridgePort);
    if (areVlansChanged) this.#leaveVlans(bridgePort);
    this.multicast?.portChanged(bridgePort, bridgePort.isForwarding);
    if (settings.staticEntries !== staticEntries) this.entries.setStatic(bridgePort, settings.staticEntries);
    this.hosts.setTrusted(bridgePort, settings.isDhcpTrusted);
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
    return this.#ports.has(bridgePort) && transmit(bridgePort, frame, this.#mirrors);
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

  /**
   * Sets the state of a port's link; flows end at once. A link that goes down takes the learned addresses with it, since
   * their stations may come back anywhere. Those behind a tunnel that is dialled again or waited for stay until they age.
   */
  setLink(bridgePort: BridgePort, state: LinkState, reason?: string): void {
    if (state === 'down' && bridgePort.link !== 'down') this.entries.flush({ port: bridgePort });
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
    if (!this.#mirrors.set(bridgePort, specs)) return;
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
    if (options === undefined) groupMembers.switchOff();
    else
      groupMembers.switchOn(
        (atMs) => makeSnooper(this, options, this.#relay.forwarding, atMs),
        options.isQuerier,
        nowMs,
      );
  }

  /** Whether the addresses of hosts are learned. Turned off, those that are known are forgotten. Default: off. */
  setHostSnooping(isOn: boolean): void {
    this.#relay.hosts = isOn ? this.hosts : undefined;
    if (!isOn) this.hosts.clear();
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
    for (const entry of this.#fdb.entries(nowMs)) if (entry.port !== this.#ports.internal) yield entry;
  }

  /** The same, but in any order, and the database may change between two of them, as `FilteringDatabase.scan`. */
  *scanFdb(now: () => number): IterableIterator<FilteringEntry> {
    for (const entry of this.#fdb.scan(now)) if (entry.port !== this.#ports.internal) yield entry;
  }

  /** Where the address was learned; undefined if it was not, or is too old, or is that of the switch itself. */
  lookup(vid: Vid, mac: MacAddress, nowMs: number): BridgePort | undefined {
    const found = this.#fdb.lookup(vid, mac, nowMs);
    return found === this.#ports.internal ? undefined : found;
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
    return this.#ports.has(ingress) || ingress === this.#ports.internal
      ? this.#relay.receive(ingress, batch, nowMs)
      : undefined;
  }

  /** Forgets what was learned at a port whose VLANs change, since it may be of a VLAN that the port has left. */
  #leaveVlans(bridgePort: BridgePort): void {
    this.#fdb.forgetPort(bridgePort);
    this.multicast?.portChanged(bridgePort, false);
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
    this.#parallel.update(bridgePort, this.#ports.has(bridgePort));
    this.#flows.invalidate();
    this.#relay.forwarding = this.#ports.forwarding();
    this.multicast?.portChanged(bridgePort, this.#ports.has(bridgePort) && bridgePort.isForwarding);
  }

  #protocolsChanged(): void {
    this.#stages.reserve(this.#protocols.addresses);
    this.#flows.invalidate();
    if (!this.#parallel.setSuspended(this.#protocols.decideParallel)) return;
    for (const port of this.#ports.values()) this.#parallel.update(port, true);
    this.#relay.forwarding = this.#ports.forwarding();
  }
}
