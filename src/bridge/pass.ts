import { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import { framesIn } from '../wire/offload/gso.ts';
import { debtOf, OFFLOAD_HEADER_BYTES, OFFLOAD_NONE, type Offloads } from '../wire/offload/virtio-header.ts';
import type { BridgePort } from './bridge-port.ts';
import { type FlowPermit, MAY_PASS } from './flow-permit.ts';
import { SoftwareOffload } from './stages/software-offload.ts';

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
  vid: Vid = UNTAGGED;
  source: MacAddress = 0 as MacAddress;
  destination: MacAddress = 0 as MacAddress;
  /** The one port that the frame is for; undefined: all other ports. */
  egress: BridgePort | undefined = undefined;

  /** What has been permitted so far: for this frame, and for each one with its source. */
  permit: FlowPermit = MAY_PASS;
  sourcePermit: FlowPermit = MAY_PASS;

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
    this.#offload.begin();
  }

  /** The one port that was handed frames; undefined: none was, or several. */
  get touched(): BridgePort | undefined {
    return this.#touched.length === 1 ? this.#touched[0] : undefined;
  }

  /**
   * Hands the present frame to a port, rewritten first into what the port can send.
   * @returns whether the port took any of it
   */
  send(egress: BridgePort): boolean {
    const { batch, index } = this;
    if ((neededOffloadIn(batch, index) & ~egress.port.offloads) === OFFLOAD_NONE) return this.#queue(egress, batch, index);
    const finished = this.#offload.finish(batch, index);
    if (typeof finished === 'string') {
      egress.drop('tx', finished, 1, batch, index);
      return false;
    }
    let isTaken = false;
    for (let at = finished.from; at < finished.to; at++) isTaken = this.#queue(egress, finished.batch, at) || isTaken;
    return isTaken;
  }

  #queue(egress: BridgePort, batch: FrameBatch, index: number): boolean {
    // Also when it refuses: a port that is full must be seen to be congested.
    if (egress.touchedBy !== this.#id) {
      egress.touchedBy = this.#id;
      this.#touched.push(egress);
    }
    const refused = egress.port.send(batch, index);
    if (refused === undefined) egress.tx.count(batch.lengths[index] as number, framesIn(batch, index));
    else egress.drop('tx', refused, framesIn(batch, index), batch, index);
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

/** What frame `index` still needs done (checksum, segmentation); nothing without an offload header. */
export function neededOffloadIn(batch: FrameBatch, index: number): Offloads {
  if (!batch.hasOffloadHeaders) return OFFLOAD_NONE;
  return debtOf(batch.bytes, (batch.starts[index] as number) - OFFLOAD_HEADER_BYTES);
}
