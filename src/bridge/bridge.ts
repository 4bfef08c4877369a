import {
  destinationOf,
  HEADER_BYTES,
  MAX_SUPER_FRAME_BYTES,
  sourceOf,
  vidOf,
} from '../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { ReservedSet } from '../wire/ethernet/reserved-address.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import { BridgePort, type PortNumber } from './bridge-port.ts';
import type { AddressListener, BridgeTrace } from './bridge-trace.ts';
import { FilteringDatabase, type FilteringEntry } from './fdb.ts';
import { FlowInstaller } from './flow-installer.ts';
import { type FlowPermit, MAY_PASS, MUST_COME, permitOfBoth } from './flow-permit.ts';
import type { FlowTable } from './flow-table.ts';
import { type MirrorSpec, Mirrors } from './mirror/mirrors.ts';
import { type MoveReport, MoveWatch } from './move-watch.ts';
import type { Moves } from './moves.ts';
import { NumberedMap } from './numbered-map.ts';
import { ParallelTunnels } from './parallel-tunnels.ts';
import { Pass } from './pass.ts';
import type { Congestion, LinkState, Port } from './port.ts';
import type { PortFault } from './port-fault.ts';
import type { PortTap } from './port-tap.ts';
import { refuse, refuseAll, refuseAt } from './stages/refuse.ts';
import { Stages } from './stages/stages.ts';

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
  /** Has no cost if absent. */
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
  readonly #ports = new NumberedMap<PortNumber, BridgePort>();
  readonly #fdb: FilteringDatabase;
  readonly #moves = new MoveWatch();
  readonly #stages: Stages;
  readonly #flows: FlowInstaller;
  readonly #trace: BridgeTrace | undefined;
  readonly #onFault: BridgeOptions['onFault'];
  /** The ports for flooding; updated when a port changes, not for each frame. */
  #forwarding: readonly BridgePort[] = [];
  #lastNumber = 0;
  #lastPass = 0;
  /** A port that delivers while it is flushed re-enters `receive`, so each level needs its own pass. */
  readonly #idlePasses: Pass[] = [];
  readonly #parallel: ParallelTunnels;
  readonly #offloadEngine: OffloadEngine;
  readonly #mirrors: Mirrors;
  readonly #mirrorTaps = new Map<BridgePort, PortTap>();

  constructor(options: BridgeOptions = {}) {
    const ageingTimeMs = options.ageingTimeMs ?? 300_000;
    const capacity = options.fdbCapacity ?? 65_536;
    requireAgeingTime(ageingTimeMs);
    requireCapacity(capacity);
    const { trace, parallel } = options;
    this.#fdb = new FilteringDatabase({
      ageingTimeMs,
      capacity,
      onLearned: (entry) => {
        trace?.learned({ vid: entry.vid, mac: entry.mac, port: entry.port.number });
        this.addressListener?.learned(entry);
      },
      onMoved: (entry, moves, nowMs) => this.#moved(entry, moves, nowMs),
      onEvicted: (entry, nowMs) => {
        this.#flows.invalidateFlowsOf(entry, nowMs);
        this.addressListener?.aged(entry, true);
      },
    });
    // With a trace the bridge must see all frames.
    this.#flows = new FlowInstaller(trace === undefined ? options.flowTable : undefined, this.#fdb, ageingTimeMs);
    this.#offloadEngine = options.offloadEngine ?? portableEngine;
    this.#mirrors = new Mirrors(this.#offloadEngine);
    this.#trace = trace;
    this.#stages = new Stages({
      fdb: this.#fdb,
      engine: this.#offloadEngine,
      relayedReserved: options.forwardReserved ?? 0,
    });
    this.#parallel = new ParallelTunnels({
      standsBy: (port, active) => {
        this.#fdb.forgetPort(port);
        parallel?.standsBy(port, active);
      },
      takesOver: (port, former, lost) => {
        // The former port's stations are now at this port; frames to them are flooded until they send.
        this.#fdb.forgetPort(former);
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
    this.#fdb.forgetPort(bridgePort);
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
    this.#stateChanged(bridgePort);
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

  /** Removes expired entries. Look-ups ignore these anyway, so this only frees memory. */
  age(nowMs: number): void {
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
  fdbEntries(nowMs: number): IterableIterator<FilteringEntry> {
    return this.#fdb.entries(nowMs);
  }

  /** The learned addresses of a port, from the most recently seen one on. */
  fdbEntriesAt(bridgePort: BridgePort, nowMs: number): IterableIterator<FilteringEntry> {
    return this.#fdb.entriesAt(bridgePort, nowMs);
  }

  /**
   * Forwards the frames of a batch. The batch is not used after the return. Of its
   * octets only offload headers are changed: hdr_len and FLAG_ENCAPSULATED are
   * corrected. Malformed frames are discards, never exceptions.
   *
   * @returns the congestion of the only port that all frames of `ingress` have recently
   *   gone to. If the ingress port then leaves frames in its source, no other port
   *   waits, and senders notice the congestion earlier and without loss
   */
  receive(ingress: BridgePort, batch: FrameBatch, nowMs: number): Congestion | undefined {
    if (!this.#ports.has(ingress.number)) return undefined;
    const pass = this.#idlePasses.pop() ?? new Pass(this.#offloadEngine, ingress);
    batch.renew();
    pass.begin(++this.#lastPass, ingress, batch, nowMs);
    const outer = this.#mirrors.enter(ingress);
    ingress.tap?.received(batch);
    const portAnswer = this.#stages.enterPort(pass);
    if (typeof portAnswer === 'string') refuseAll(pass, portAnswer);
    else this.#relay(pass, portAnswer);
    const sole = pass.end();
    this.#mirrors.leave(outer);
    this.#idlePasses.push(pass);
    return sole?.port.congestion;
  }

  /** Runs the stages for each frame of a batch, and installs a flow with the key of the last frame. */
  #relay(pass: Pass, portPermit: FlowPermit): void {
    const { ingress, batch } = pass;
    const { bytes, starts, lengths, count, hasOffloadHeaders } = batch;
    const { isEachFrameJudged } = ingress;
    // Most frames of a batch have the same key as the frame before, whose decision is then reused.
    let lastVid = 0;
    // No valid address, so that the first frame differs.
    let lastSource = -1;
    let lastDestination = 0;
    let takenIndex = -1;
    let takenPermit: FlowPermit = MUST_COME;
    let takenKeyPermit: FlowPermit = MUST_COME;
    let frames = 0;
    let octets = 0;
    for (let index = 0; index < count; index++) {
      const start = starts[index] as number;
      const length = lengths[index] as number;
      pass.index = index;
      if (length < HEADER_BYTES) {
        // A runt has no addresses, so no stage is run.
        pass.frames = 1;
        refuse(pass, 'runt');
        continue;
      }
      if (hasOffloadHeaders || length > MAX_SUPER_FRAME_BYTES) {
        pass.lookAtOffload(length);
        const answer = this.#stages.enterWellFormed(pass);
        if (typeof answer === 'string') {
          refuse(pass, answer);
          continue;
        }
      }
      const vid = vidOf(bytes, start, length);
      const source = sourceOf(bytes, start);
      const destination = destinationOf(bytes, start);
      const isSameSource = source === lastSource && vid === lastVid;
      const isSameKey = isSameSource && destination === lastDestination;
      if (!isSameKey || isEachFrameJudged) {
        pass.start = start;
        pass.length = length;
        pass.permit = portPermit;
        if (!isSameKey) {
          lastSource = -1;
          pass.vid = vid;
          pass.source = source;
          pass.destination = destination;
          if (!isSameSource) pass.sourcePermit = MAY_PASS;
        }
        if (!this.#stages.enter(pass, isSameSource)) {
          refuse(pass, pass.refusal);
          continue;
        }
        if (!isSameKey) {
          this.#decide(pass);
          lastVid = vid;
          lastSource = source;
          lastDestination = destination;
        }
      }
      frames += pass.frames;
      octets += length;
      const { egress, keyRefusal } = pass;
      if (keyRefusal !== undefined) refuseAt(pass, egress, keyRefusal);
      else if (egress === undefined) pass.sendFlood();
      else {
        takenIndex = pass.send(egress) ? index : -1;
        takenPermit = pass.permit;
        takenKeyPermit = pass.keyPermit;
      }
      if (this.#trace !== undefined && keyRefusal !== 'reserved') this.#traceForward(pass, length);
    }
    ingress.rx.count(octets, frames);
    // Installed before the ports are flushed, since they may overwrite the octets.
    if (pass.egress === undefined || takenIndex < 0) return;
    this.#flows.install(pass, pass.egress, takenIndex, permitOfBoth(takenPermit, takenKeyPermit));
  }

  /** Makes the forwarding decision for all frames with the key of the present one. */
  #decide(pass: Pass): void {
    pass.egress = undefined;
    pass.keyPermit = pass.sourcePermit;
    if (!this.#stages.decide(pass)) {
      pass.keyRefusal = pass.refusal;
      return;
    }
    pass.keyRefusal = undefined;
    const { egress } = pass;
    if (egress === undefined) this.#decideFlood(pass);
    else if (!pass.allowsKey(this.#stages.leave(pass, egress))) pass.keyRefusal = pass.refusal;
  }

  /** Selects the ports for flooding frames with the present key. */
  #decideFlood(pass: Pass): void {
    const ports = this.#forwarding;
    pass.flood.length = 0;
    pass.refusedFlood.length = 0;
    for (let at = 0; at < ports.length; at++) {
      const egress = ports[at] as BridgePort;
      if (egress === pass.ingress) continue;
      const answer = this.#stages.leave(pass, egress);
      if (typeof answer === 'string') pass.refusedFlood.push({ egress, reason: answer });
      else pass.flood.push(egress);
    }
  }

  #moved(entry: FilteringEntry, moves: Moves, nowMs: number): void {
    this.#flows.invalidateFlowsOf(entry, nowMs);
    this.#moves.moved(entry, moves, nowMs);
    this.#trace?.learned({ vid: entry.vid, mac: entry.mac, port: entry.port.number, from: moves.from });
    this.addressListener?.moved(entry, moves.from);
  }

  #traceForward({ ingress, egress }: Pass, length: number): void {
    const targets = egress === undefined ? this.#forwarding : [egress];
    const numbers = targets.filter((port) => port !== ingress).map((port) => port.number);
    this.#trace?.forwarded(ingress.number, numbers, length);
  }

  #policyChanged(bridgePort: BridgePort): void {
    bridgePort.isEachFrameJudged = this.#stages.judgesEachFrame(bridgePort);
    this.#flows.invalidate();
  }

  #stateChanged(bridgePort: BridgePort): void {
    this.#parallel.update(bridgePort, this.#ports.has(bridgePort.number));
    this.#flows.invalidate();
    this.#forwarding = [...this.#ports.values()].filter((port) => port.isForwarding);
  }
}

function requireAgeingTime(ageingTimeMs: number): void {
  if (!(ageingTimeMs > 0)) throw new RangeError(`ageingTimeMs must be above 0, got ${ageingTimeMs}`);
}

function requireCapacity(capacity: number): void {
  if (Number.isSafeInteger(capacity) && capacity >= 1) return;
  throw new RangeError(`fdbCapacity must be a whole number of at least 1, got ${capacity}`);
}
