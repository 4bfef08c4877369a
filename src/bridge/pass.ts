import { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import { framesIn } from '../wire/offload/gso.ts';
import { neededOffloads, OFFLOAD_HEADER_BYTES, OFFLOAD_NONE, type Offloads } from '../wire/offload/virtio-header.ts';
import type { BridgePort } from './bridge-port.ts';
import { type FlowPermit, MAY_PASS, MUST_COME, permitOfBoth } from './flow-permit.ts';
import type { DiscardReason } from './port.ts';
import { SoftwareOffload } from './stages/software-offload.ts';
import type { Answer } from './stages/stage.ts';

const NO_FRAMES: FrameBatch = new FrameBatch(Buffer.alloc(0), 0);

/** One batch on its way through the bridge, and the frame of it that the stages look at. Used again for the next batch. */
export class Pass {
  ingress: BridgePort;
  batch: FrameBatch = NO_FRAMES;
  nowMs = 0;

  /** The present frame: `batch.bytes[start .. start + length)`, at least a header long. */
  index = 0;
  start = 0;
  length = 0;
  /** What it needs done before it is finished, and how many finished frames it stands for, once it is known to be well-formed. */
  neededOffload: Offloads = OFFLOAD_NONE;
  frames = 1;
  vid: Vid = UNTAGGED;
  source: MacAddress = 0 as MacAddress;
  destination: MacAddress = 0 as MacAddress;
  /** The one port that the frame is for; undefined: all other ports. */
  egress: BridgePort | undefined = undefined;

  /** For a frame without one `egress`: the ports that it leaves by, and those that it cannot leave by. */
  readonly flood: BridgePort[] = [];
  readonly refusedFlood: { egress: BridgePort; reason: DiscardReason }[] = [];
  /** Why the present frame goes no further, where a stage has refused it. */
  refusal: DiscardReason = 'filtered';
  /** Why frames with the present key go nowhere; undefined: they go to `egress`, or are flooded. */
  keyRefusal: DiscardReason | undefined = undefined;

  /** What stages permit: for this frame, for each one with its source, and for each one with its key. */
  permit: FlowPermit = MAY_PASS;
  sourcePermit: FlowPermit = MAY_PASS;
  keyPermit: FlowPermit = MUST_COME;
  readonly #offload: SoftwareOffload;
  readonly #touched: BridgePort[] = [];
  #id = 0;

  constructor(engine: OffloadEngine, ingress: BridgePort) {
    this.#offload = new SoftwareOffload(engine);
    this.ingress = ingress;
  }

  begin(id: number, ingress: BridgePort, batch: FrameBatch, nowMs: number): void {
    this.#id = id;
    this.ingress = ingress;
    this.batch = batch;
    this.nowMs = nowMs;
    this.frames = 1;
    this.neededOffload = OFFLOAD_NONE;
    this.#offload.begin();
  }

  /** Takes the answer of a stage that judges each frame. @returns whether the frame goes on; if not, `refusal` says why */
  allowsFrame(answer: Answer): boolean {
    return answer === MAY_PASS || this.#restrictFrame(answer);
  }

  /** The same of one whose answer holds for all frames with the present source and VID. */
  allowsSource(answer: Answer): boolean {
    return answer === MAY_PASS || this.#restrictSource(answer);
  }

  /** The same of one whose answer holds for all frames with the present key. */
  allowsKey(answer: Answer): boolean {
    return answer === MAY_PASS || this.#restrictKey(answer);
  }

  #restrictFrame(answer: Answer): boolean {
    if (typeof answer === 'string') return this.#refused(answer);
    this.permit = permitOfBoth(this.permit, answer);
    return true;
  }

  #restrictSource(answer: Answer): boolean {
    if (typeof answer === 'string') return this.#refused(answer);
    this.sourcePermit = permitOfBoth(this.sourcePermit, answer);
    return true;
  }

  #restrictKey(answer: Answer): boolean {
    if (typeof answer === 'string') return this.#refused(answer);
    this.keyPermit = permitOfBoth(this.keyPermit, answer);
    return true;
  }

  #refused(reason: DiscardReason): boolean {
    this.refusal = reason;
    return false;
  }

  /** Reads what the present frame needs done, if the batch has offload headers. */
  lookAtOffload(length: number): void {
    const { batch } = this;
    this.frames = 1;
    this.length = length;
    if (batch.hasOffloadHeaders) this.readNeededOffload();
  }

  /** Reads it from the offload header of the present frame. */
  readNeededOffload(): void {
    const { bytes, starts } = this.batch;
    this.neededOffload = neededOffloads(bytes, (starts[this.index] as number) - OFFLOAD_HEADER_BYTES);
  }

  /** The one port that was handed frames; undefined: none was, or several. */
  get touched(): BridgePort | undefined {
    return this.#touched.length === 1 ? this.#touched[0] : undefined;
  }

  /** Hands the present frame to all ports that it is flooded to. */
  sendFlood(): void {
    const { flood, refusedFlood, batch, index, frames } = this;
    if (this.neededOffload === OFFLOAD_NONE) {
      for (let at = 0; at < flood.length; at++) this.#queue(flood[at] as BridgePort, batch, index, frames);
    } else {
      for (let at = 0; at < flood.length; at++) this.send(flood[at] as BridgePort);
    }
    if (refusedFlood.length === 0) return;
    for (let at = 0; at < refusedFlood.length; at++) {
      const refused = refusedFlood[at] as (typeof refusedFlood)[number];
      refused.egress.tx.discard(refused.reason);
    }
  }

  /**
   * Hands the present frame to a port, rewritten first into what the port can send.
   * @returns whether the port took any of it
   */
  send(egress: BridgePort): boolean {
    const { batch, index } = this;
    if ((this.neededOffload & ~egress.port.offloads) === OFFLOAD_NONE)
      return this.#queue(egress, batch, index, this.frames);
    return this.#sendFinished(egress);
  }

  #sendFinished(egress: BridgePort): boolean {
    const { batch, index } = this;
    const finished = this.#offload.finish(batch, index, egress.port.offloads);
    if (typeof finished === 'string') {
      egress.drop('tx', finished, 1, batch, index);
      return false;
    }
    let isTaken = false;
    for (let at = finished.from; at < finished.to; at++) {
      // Segments of an encapsulation may have become a datagram super-frame.
      isTaken = this.#queue(egress, finished.batch, at, framesIn(finished.batch, at)) || isTaken;
    }
    return isTaken;
  }

  #queue(egress: BridgePort, batch: FrameBatch, index: number, frames: number): boolean {
    // Also when it refuses: a port that is full must be seen to be congested.
    if (egress.touchedBy !== this.#id) {
      egress.touchedBy = this.#id;
      this.#touched.push(egress);
    }
    const refused = egress.port.send(batch, index);
    if (refused === undefined) egress.tx.count(batch.lengths[index] as number, frames);
    else egress.drop('tx', refused, frames, batch, index);
    return refused === undefined;
  }

  /**
   * Flushes each port that was handed a frame, once.
   * @returns the one port that everything from the ingress port has been going to for a while
   */
  end(): BridgePort | undefined {
    const { ingress, nowMs } = this;
    const [first] = this.#touched;
    const isSoleEgress = this.#touched.length === 1;
    for (const egress of this.#touched) egress.port.flush(isSoleEgress);
    this.#touched.length = 0;
    this.batch = NO_FRAMES;
    if (first === undefined) return undefined;
    const sole = isSoleEgress ? first : undefined;
    if (sole !== ingress.soleEgress) {
      ingress.soleEgress = sole;
      ingress.soleSinceMs = nowMs;
    }
    return sole !== undefined && ingress.sendsOnlyTo(sole, nowMs) ? sole : undefined;
  }
}
