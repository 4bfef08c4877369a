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
import type { BridgeTrace } from './bridge-trace.ts';
import { FilteringDatabase, type FilteringEntry } from './fdb.ts';
import { FlowInstaller } from './flow-installer.ts';
import { type FlowPermit, MAY_PASS, MUST_COME, permitOfBoth } from './flow-permit.ts';
import type { FlowTable } from './flow-table.ts';
import { type MoveReport, MoveWatch } from './move-watch.ts';
import type { Moves } from './moves.ts';
import { ParallelTunnels } from './parallel-tunnels.ts';
import { Pass } from './pass.ts';
import type { Congestion, LinkState, Port } from './port.ts';
import type { PortFault } from './port-fault.ts';
import { refuse, refuseAt } from './stages/refuse.ts';
import { Stages } from './stages/stages.ts';

export interface BridgeOptions {
  /** 802.1Q's ageing time; default 300 s (IEEE 802.1Q-2022, table 8-6). */
  ageingTimeMs?: number;
  /** The most filtering database entries; default 65 536. Beyond it the port with the most loses its longest unseen one. */
  fdbCapacity?: number;
  /** The reserved group addresses that are relayed all the same; default none. */
  forwardReserved?: ReservedSet;
  /** Checks super-frames, and does in software what an egress port cannot; default: the engine without native code. */
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
  /** Costs nothing when absent. */
  trace?: BridgeTrace;
}

/**
 * A transparent bridge (IEEE 802.1Q-2022, clause 8), sans-I/O: it owns no
 * timer, no clock and no socket. What runs it calls `receive` for what arrives,
 * `age` now and then, and passes the time, in milliseconds of any monotonic clock,
 * to both.
 *
 * A frame's way is the list of stages in stages/stages.ts; `receive` runs it. Each
 * stage also says whether frames like this one may pass the bridge by: what they all
 * permit becomes a flow (FlowInstaller).
 */
export class Bridge {
  readonly #ports = new Map<PortNumber, BridgePort>();
  readonly #fdb: FilteringDatabase;
  readonly #moves = new MoveWatch();
  readonly #stages: Stages;
  readonly #flows: FlowInstaller;
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

  constructor(options: BridgeOptions = {}) {
    const ageingTimeMs = options.ageingTimeMs ?? 300_000;
    const capacity = options.fdbCapacity ?? 65_536;
    if (!(ageingTimeMs > 0)) throw new RangeError(`ageingTimeMs must be above 0, got ${ageingTimeMs}`);
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`fdbCapacity must be a whole number of at least 1, got ${capacity}`);
    }
    const { trace, parallel } = options;
    this.#fdb = new FilteringDatabase({
      ageingTimeMs,
      capacity,
      onMoved: (entry, moves, nowMs) => this.#moved(entry, moves, nowMs),
      onEvicted: (entry, nowMs) => this.#flows.invalidateFlowsOf(entry, nowMs),
    });
    // A trace wants every frame.
    this.#flows = new FlowInstaller(trace === undefined ? options.flowTable : undefined, this.#fdb, ageingTimeMs);
    this.#offloadEngine = options.offloadEngine ?? portableEngine;
    this.#trace = trace;
    this.#stages = new Stages({
      fdb: this.#fdb,
      engine: this.#offloadEngine,
      relayedReserved: options.forwardReserved ?? 0,
      trace,
    });
    this.#parallel = new ParallelTunnels({
      standsBy: (port, active) => {
        this.#fdb.forgetPort(port);
        parallel?.standsBy(port, active);
      },
      takesOver: (port, former, lost) => {
        // Its stations are behind the port now; until they speak, frames to them are flooded.
        this.#fdb.forgetPort(former);
        port.port.tunnel?.announceLoss(lost);
        parallel?.takesOver(port, former);
      },
    });
    this.#onFault = options.onFault;
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
      () => this.#policyChanged(bridgePort),
      (fault) => this.#onFault?.(bridgePort, fault),
    );
    this.#ports.set(bridgePort.number, bridgePort);
    this.#policyChanged(bridgePort);
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

  /** Shuts or opens a port by the operator's will. Its entries stay until they age; flows end at once. */
  setShut(bridgePort: BridgePort, isShut: boolean): void {
    bridgePort.isShut = isShut;
    this.#stateChanged(bridgePort);
  }

  /** Notes what the link has become. Its entries stay until they age; flows end at once. */
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
      this.#flows.invalidateFlowsOf(entry, nowMs);
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
   *   lately gone to: leaving them where they come from then delays no other port,
   *   and lets their sender feel it sooner and without a loss
   */
  receive(ingress: BridgePort, batch: FrameBatch, nowMs: number): Congestion | undefined {
    if (!this.#ports.has(ingress.number)) return undefined;
    const pass = this.#idlePasses.pop() ?? new Pass(this.#offloadEngine, ingress);
    batch.renew();
    pass.begin(++this.#lastPass, ingress, batch, nowMs);
    const portAnswer = this.#stages.enterPort(pass);
    if (typeof portAnswer === 'string') ingress.rx.discard(portAnswer, batch.count);
    else this.#relay(pass, portAnswer);
    const sole = pass.end();
    this.#idlePasses.push(pass);
    return sole?.port.congestion;
  }

  /** Runs the stages for each frame of a batch, and has a flow installed for frames like the last one. */
  #relay(pass: Pass, portPermit: FlowPermit): void {
    const { ingress, batch } = pass;
    const { bytes, starts, lengths, count, hasOffloadHeaders } = batch;
    const { isEachFrameJudged } = ingress;
    // Most frames of a batch have the key of the one before: what was decided for that one holds.
    let lastVid = 0;
    // No address, so that the first frame is not taken for one with the key of the one before.
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
        // It has no addresses that a stage could ask for.
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
    // Before the ports are flushed, which may overwrite the bytes.
    if (pass.egress === undefined || takenIndex < 0) return;
    this.#flows.install(pass, pass.egress, takenIndex, permitOfBoth(takenPermit, takenKeyPermit));
  }

  /** Decides for all frames with the key of the present one. */
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

  /** Chooses the ports that frames with the present key are flooded to. */
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
