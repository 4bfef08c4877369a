import {
  destinationOf,
  HEADER_BYTES,
  MAX_SUPER_FRAME_BYTES,
  sourceOf,
  vidOf,
} from '../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { TAGS_NONE } from '../wire/ethernet/frame-length.ts';
import { isGroupAddress, type MacAddress } from '../wire/ethernet/mac-address.ts';
import { type ReservedSet, reservedDigitOf } from '../wire/ethernet/reserved-address.ts';
import { RESERVED_VID, type Vid } from '../wire/ethernet/vid.ts';
import { type OffloadEngine, portableEngine } from '../wire/offload/engine.ts';
import { framesIn } from '../wire/offload/gso.ts';
import { OFFLOAD_NONE } from '../wire/offload/virtio-header.ts';
import { BridgePort, type PortNumber } from './bridge-port.ts';
import { FilteringDatabase, type FilteringEntry } from './filtering-database.ts';
import type { FlowTable } from './flow-table.ts';
import type { IngressPolicy } from './ingress-policy.ts';
import { type MoveReport, MoveWatch } from './move-watch.ts';
import { ParallelTunnels } from './parallel-tunnels.ts';
import { debtIn, Pass } from './pass.ts';
import type { Congestion, DiscardReason, LinkState, Port, PortFault } from './port.ts';

export interface BridgeOptions {
  /** 802.1Q's ageing time; default 300 s (IEEE 802.1Q-2022, table 8-6). */
  ageingTimeMs?: number;
  /** The most filtering database entries; default 65 536. Beyond it the port with the most loses its longest unseen one. */
  fdbCapacity?: number;
  /** The reserved group addresses that are relayed all the same; default none. */
  forwardReserved?: ReservedSet;
  /** Applies the offloads that egress ports lack; default: the engine without native code. */
  offloadEngine?: OffloadEngine;
  /** Forwards frames without the bridge, as long as its decisions hold; default: every frame is the bridge's. */
  flowTable?: FlowTable;
  /** Told when a port begins to stand by for another one's tunnel, and when it forwards in its place. */
  parallel?: {
    standsBy(port: BridgePort, active: BridgePort): void;
    takesOver(port: BridgePort, former: BridgePort): void;
  };
  /** Told, once a port, direction and reason, when frames begin to be dropped for a reason that points at a fault. */
  onFault?: (port: BridgePort, fault: PortFault) => void;
  /** Told of what the bridge decides, for a debug log. Costs nothing when absent. */
  trace?: BridgeTrace;
}

export interface BridgeTrace {
  learned(entry: { vid: Vid; mac: MacAddress; port: PortNumber; from?: PortNumber }): void;
  aged(entry: FilteringEntry): void;
  forwarded(from: PortNumber, to: readonly PortNumber[], length: number): void;
}

/**
 * A transparent bridge (IEEE 802.1Q-2022, clause 8), sans-I/O: it owns no
 * timer, no clock and no socket. Whoever runs it calls `receive` for what
 * arrives, `age` now and then, and passes the time, in milliseconds of any
 * monotonic clock, to both.
 *
 * One frame's way, in the order of the code:
 *   1. `receive`   is it a frame at all, with a source and a VID that may be; may its port receive?
 *   2. `#learn`    the source address is behind this port
 *   3. `#decide`   one port, all other ports, or none: reserved group addresses are not relayed
 *   4. `#transmit` hand it to an egress port, finished first if the port cannot
 *                  take its needed offloads; count it or its discard
 *   5. at the end of the batch: flush each port that was touched, once
 */
export class Bridge {
  readonly #ports = new Map<PortNumber, BridgePort>();
  readonly #fdb: FilteringDatabase;
  readonly #moves = new MoveWatch();
  readonly #forwardReserved: ReservedSet;
  readonly #trace: BridgeTrace | undefined;
  readonly #onFault: BridgeOptions['onFault'];
  /** The ports that frames are flooded to; made anew when a port changes, not for each frame. */
  #forwarding: readonly BridgePort[] = [];
  #lastNumber = 0;
  #lastPass = 0;
  /** A port that delivers while it is being flushed re-enters `receive`: each level has a pass of its own. */
  readonly #idlePasses: Pass[] = [];
  readonly #parallel: ParallelTunnels;
  readonly #offloadEngine: OffloadEngine;
  readonly #flowTable: FlowTable | undefined;
  /** Whether a flow may be in the table, so that however many changes invalidate it once. */
  #hasFlows = false;
  readonly #flowLifeMs: number;

  constructor(options: BridgeOptions = {}) {
    const ageingTimeMs = options.ageingTimeMs ?? 300_000;
    const capacity = options.fdbCapacity ?? 65_536;
    if (!(ageingTimeMs > 0)) throw new RangeError(`ageingTimeMs must be above 0, got ${ageingTimeMs}`);
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`fdbCapacity must be a whole number of at least 1, got ${capacity}`);
    }
    this.#fdb = new FilteringDatabase({
      ageingTimeMs,
      capacity,
      onMoved: (entry, from, nowMs) => this.#moved(entry, from, nowMs),
      onEvicted: (entry, nowMs) => this.#endFlowsOf(entry, nowMs),
    });
    this.#forwardReserved = options.forwardReserved ?? 0;
    this.#offloadEngine = options.offloadEngine ?? portableEngine;
    this.#trace = options.trace;
    const { parallel } = options;
    this.#parallel = new ParallelTunnels({
      standsBy: (port, active) => {
        this.#fdb.forgetPort(port);
        parallel?.standsBy(port, active);
      },
      takesOver: (port, former, lost) => {
        // Its stations are behind the port now; until they speak, frames to them are flooded.
        this.#fdb.forgetPort(former);
        port.port.tunnel?.announceLoss?.(lost);
        parallel?.takesOver(port, former);
      },
    });
    this.#onFault = options.onFault;
    // A trace wants every frame.
    this.#flowTable = options.trace === undefined ? options.flowTable : undefined;
    this.#flowLifeMs = Math.min(FLOW_LIFE_MS, Math.floor(ageingTimeMs / 4));
  }

  get ports(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#ports;
  }

  get fdbSize(): number {
    return this.#fdb.size;
  }

  /** Adds a port under the next number. The caller opens it, and passes on what it delivers. */
  attach(port: Port): BridgePort {
    this.#lastNumber++;
    const bridgePort = new BridgePort(
      this.#lastNumber as PortNumber,
      port,
      () => this.#invalidateFlows(),
      (fault) => this.#onFault?.(bridgePort, fault),
    );
    this.#ports.set(bridgePort.number, bridgePort);
    this.#stateChanged(bridgePort);
    return bridgePort;
  }

  /** Takes a port out and forgets what was learned from it. The caller closes it. */
  detach(bridgePort: BridgePort): void {
    this.#ports.delete(bridgePort.number);
    bridgePort.policy?.release();
    this.#fdb.forgetPort(bridgePort);
    this.#stateChanged(bridgePort);
  }

  setShut(bridgePort: BridgePort, isShut: boolean): void {
    bridgePort.isShut = isShut;
    this.#stateChanged(bridgePort);
  }

  setLink(bridgePort: BridgePort, state: LinkState, reason?: string): void {
    bridgePort.link = state;
    bridgePort.linkReason = state === 'up' ? undefined : reason;
    this.#stateChanged(bridgePort);
  }

  /** The port that has the tunnel of that id, if any does (TunnelPeer). */
  portOfTunnel(tunnelId: string): BridgePort | undefined {
    return this.#parallel.find(tunnelId);
  }

  /** Forgets what has aged out. Look-ups ignore it anyway: this only frees memory. */
  age(nowMs: number): void {
    this.#fdb.age(nowMs, (entry) => {
      this.#endFlowsOf(entry, nowMs);
      this.#trace?.aged(entry);
    });
  }

  /** Duplicate addresses and loops that were not reported within the last minute; to be called about once a second. */
  moveReports(nowMs: number): MoveReport[] {
    return this.#moves.reports(nowMs);
  }

  /** Port by port, those of a port from the longest unseen on. */
  fdbEntries(nowMs: number): IterableIterator<FilteringEntry> {
    return this.#fdb.entries(nowMs);
  }

  /**
   * Forwards the frames of one wake-up. Nothing of the batch is needed any more
   * when it returns. Of its bytes only offload headers are touched: their hdr_len
   * is made true. Malformed frames are discards, never exceptions.
   *
   * @returns the congestion of the one port that all of `ingress`'s frames have
   *   lately gone to: leaving them where they come from then delays nobody else,
   *   and lets their sender feel it sooner and without a loss
   */
  receive(ingress: BridgePort, batch: FrameBatch, nowMs: number): Congestion | undefined {
    if (!this.#ports.has(ingress.number)) return undefined;
    if (ingress.isShut) {
      ingress.rx.discard('shut', batch.count);
      return undefined;
    }
    if (ingress.standsByFor !== undefined) {
      ingress.rx.discard('standby', batch.count);
      return undefined;
    }
    const pass = this.#idlePasses.pop() ?? new Pass(this.#offloadEngine);
    batch.renew();
    pass.begin(++this.#lastPass, batch);

    // Most frames of a batch belong to one flow: what was found for the one before holds for this one.
    let lastSource = -1;
    let lastDestination = -1;
    let lastVid = -1;
    let known: BridgePort | undefined;
    let isTapped = true;
    let lastKnownIndex = -1;

    for (let index = 0; index < batch.count; index++) {
      const start = batch.starts[index] as number;
      const length = batch.lengths[index] as number;
      const malformed = this.#faultOf(batch, index, length);
      if (malformed !== undefined) {
        ingress.drop('rx', malformed, 1, batch, index);
        continue;
      }
      const vid = vidOf(batch.bytes, start, length);
      const source = sourceOf(batch.bytes, start);
      const isSameSource = source === lastSource && vid === lastVid;
      const impossible = isSameSource ? undefined : addressFaultOf(vid, source);
      if (impossible !== undefined) {
        ingress.rx.discard(impossible, framesIn(batch, index));
        continue;
      }
      if (ingress.policy !== undefined) {
        const denied = this.#judge(ingress, ingress.policy, batch, index, vid, source, nowMs);
        if (denied !== undefined) {
          ingress.rx.discard(denied, framesIn(batch, index));
          continue;
        }
      }
      ingress.rx.count(length, framesIn(batch, index));
      if (!isSameSource) {
        this.#learn(vid, source, ingress, nowMs);
        lastSource = source;
        lastDestination = -1;
      }
      const destination = destinationOf(batch.bytes, start);
      if (destination !== lastDestination || vid !== lastVid) {
        known = this.#decide(vid, destination, nowMs);
        isTapped = this.#isTapped(destination);
        lastDestination = destination;
        lastVid = vid;
      }

      if (!isTapped) ingress.rx.discard('reserved', framesIn(batch, index));
      else if (known === undefined) this.#flood(ingress, pass, index);
      else if (known === ingress) ingress.rx.discard('filtered');
      else {
        lastKnownIndex = this.#transmit(known, pass, index) ? index : -1;
      }
      if (isTapped && this.#trace !== undefined) this.#traceForward(ingress, known, length);
    }
    // Before the end, behind which the bytes are no more what they were.
    if (known !== undefined && lastKnownIndex >= 0) this.#installFlow(ingress, known, pass, lastKnownIndex, nowMs);
    const sole = pass.end(ingress, nowMs);
    this.#idlePasses.push(pass);
    return sole?.port.congestion;
  }

  /** Frames like this one need not come here again for a while, if only the filtering database and meters had a say. */
  #installFlow(ingress: BridgePort, egress: BridgePort, { batch, touched }: Pass, index: number, nowMs: number): void {
    const { flowSource } = ingress.port;
    const { flowTarget } = egress.port;
    if (this.#flowTable === undefined || flowSource === undefined || flowTarget === undefined) return;
    if (touched !== egress || !ingress.admitsUnicast) return;
    ingress.noteFlow(egress, nowMs + this.#flowLifeMs);
    this.#noteFlow(batch, index, nowMs + FLOW_LIVES * this.#flowLifeMs);
    this.#hasFlows = true;
    this.#flowTable.install({
      batch,
      index,
      source: flowSource,
      target: flowTarget,
      sourceCells: ingress.cells,
      targetCells: egress.cells,
      offloads: egress.port.offloads,
      maxFrameBytes: egress.port.maxFrameBytes,
      tagAllowance: egress.port.tagAllowance ?? TAGS_NONE,
      lifeMs: this.#flowLifeMs,
      mayWait: ingress.sendsOnlyTo(egress, nowMs),
      meter: undefined,
    });
  }

  #invalidateFlows(): void {
    if (!this.#hasFlows) return;
    this.#hasFlows = false;
    this.#flowTable?.invalidate();
  }

  #faultOf(batch: FrameBatch, index: number, length: number): DiscardReason | undefined {
    if (length < HEADER_BYTES) return 'runt';
    if (length > MAX_SUPER_FRAME_BYTES) return 'tooLong';
    if (debtIn(batch, index) === OFFLOAD_NONE) return undefined;
    return this.#offloadEngine.check(batch, index) === undefined ? undefined : 'badOffload';
  }

  #judge(
    ingress: BridgePort,
    policy: IngressPolicy,
    batch: FrameBatch,
    index: number,
    vid: Vid,
    source: MacAddress,
    nowMs: number,
  ): DiscardReason | undefined {
    const holder = this.#fdb.lookup(vid, source, nowMs);
    const start = batch.starts[index] as number;
    const length = batch.lengths[index] as number;
    const isHeldElsewhere = holder !== undefined && holder !== ingress;
    return policy.check(batch.bytes, start, length, framesIn(batch, index), isHeldElsewhere, nowMs);
  }

  #learn(vid: Vid, source: MacAddress, ingress: BridgePort, nowMs: number): void {
    const learned = this.#fdb.learn(vid, source, ingress, nowMs);
    // Frames to a new station were flooded until now: no flow leads there.
    if (learned === 'new') this.#trace?.learned({ vid, mac: source, port: ingress.number });
  }

  #moved(entry: FilteringEntry, from: BridgePort, nowMs: number): void {
    this.#endFlowsOf(entry, nowMs);
    this.#moves.moved(entry, nowMs);
    this.#trace?.learned({ vid: entry.vid, mac: entry.mac, port: entry.port.number, from: from.number });
  }

  /** Both stations of a flow are marked, so that it ends when one of them goes. */
  #noteFlow({ bytes, starts, lengths }: FrameBatch, index: number, untilMs: number): void {
    const start = starts[index] as number;
    const vid = vidOf(bytes, start, lengths[index] as number);
    this.#fdb.noteFlow(vid, sourceOf(bytes, start), untilMs);
    this.#fdb.noteFlow(vid, destinationOf(bytes, start), untilMs);
  }

  /** Invalidates all flows if one may lead from or to this station. A flood of made-up addresses has none. */
  #endFlowsOf({ flowUntilMs }: FilteringEntry, nowMs: number): void {
    if (nowMs < flowUntilMs) this.#invalidateFlows();
  }

  /** The one port that `destination` is behind, or undefined: flood. */
  #decide(vid: Vid, destination: MacAddress, nowMs: number): BridgePort | undefined {
    return isGroupAddress(destination) ? undefined : this.#fdb.lookup(vid, destination, nowMs);
  }

  #isTapped(destination: MacAddress): boolean {
    const digit = reservedDigitOf(destination);
    return digit < 0 || ((this.#forwardReserved >>> digit) & 1) === 1;
  }

  #flood(ingress: BridgePort, pass: Pass, index: number): void {
    for (const egress of this.#forwarding) {
      if (egress !== ingress) this.#transmit(egress, pass, index);
    }
  }

  /** @returns whether the port took any of it */
  #transmit(egress: BridgePort, pass: Pass, index: number): boolean {
    const { batch } = pass;
    if (!egress.isForwarding) {
      egress.tx.discard(reasonOf(egress));
      return false;
    }
    if ((debtIn(batch, index) & ~egress.port.offloads) === OFFLOAD_NONE) return pass.send(egress, batch, index);
    const finished = pass.finishing.finish(batch, index, egress.port.offloads);
    if (typeof finished === 'string') {
      egress.drop('tx', finished, 1, batch, index);
      return false;
    }
    let isTaken = false;
    for (let at = finished.from; at < finished.to; at++) isTaken = pass.send(egress, finished.batch, at) || isTaken;
    return isTaken;
  }

  #traceForward(ingress: BridgePort, known: BridgePort | undefined, length: number): void {
    const targets = known === undefined ? this.#forwarding : [known];
    const numbers = targets.filter((port) => port !== ingress).map((port) => port.number);
    this.#trace?.forwarded(ingress.number, numbers, length);
  }

  #stateChanged(bridgePort: BridgePort): void {
    this.#parallel.update(bridgePort, this.#ports.has(bridgePort.number));
    this.#invalidateFlows();
    this.#forwarding = [...this.#ports.values()].filter((port) => port.isForwarding);
  }
}

/**
 * How long frames may pass the bridge by. It bounds how stale an entry of the
 * filtering database looks, and how long a decision holds that somebody forgot to
 * take back; renewing it once a second costs nothing.
 */
const FLOW_LIFE_MS = 1000;
/** A flow counts as alive for twice its life: native code measures that by the loop's clock, which lags. */
const FLOW_LIVES = 2;

/** Why no station can have sent such a frame, and nothing is learned from it. */
function addressFaultOf(vid: Vid, source: MacAddress): DiscardReason | undefined {
  if (vid === RESERVED_VID) return 'badVid';
  return source === 0 || isGroupAddress(source) ? 'badSource' : undefined;
}

/** Why a port that does not forward refuses a frame. */
function reasonOf({ isShut, standsByFor }: BridgePort): DiscardReason {
  if (isShut) return 'shut';
  return standsByFor === undefined ? 'linkDown' : 'standby';
}
