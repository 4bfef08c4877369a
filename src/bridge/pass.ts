import { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import { countTags, TPID_C_TAG } from '../wire/ethernet/tag.ts';
import { MAX_TAGS } from '../wire/ethernet/transport-header.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import { framesIn } from '../wire/offload/gso.ts';
import { neededOffloads, OFFLOAD_HEADER_BYTES, OFFLOAD_NONE, type Offloads } from '../wire/offload/virtio-header.ts';
import type { BridgePort } from './bridge-port.ts';
import { type FlowPermit, MAY_PASS, MUST_COME, permitOfBoth } from './flow-permit.ts';
import type { DiscardReason } from './port.ts';
import { type FinishedFrames, SoftwareOffload } from './stages/software-offload.ts';
import type { Answer } from './stages/stage.ts';
import { FORM_AS_IT_CAME, type Form, formOf, Retagging, type TagChange } from './stages/vlan-retagging.ts';

/** A finished frame with its tag; or, as it was without, why it cannot have one. */
interface TaggedFrame {
  readonly batch: FrameBatch;
  readonly index: number;
  readonly failure: DiscardReason | undefined;
}

/** Those of frame `index` of the batch of the pass; -1: of none. */
interface TaggedFrames {
  index: number;
  readonly frames: TaggedFrame[];
}

const NO_FRAMES: FrameBatch = new FrameBatch(Buffer.alloc(0), 0);

/** The state of a batch in the bridge, and of its present frame, for the stages. The object is reused for the next batch. */
export class Pass {
  /** A number that no other batch of the bridge has. */
  id = 0;
  ingress: BridgePort;
  batch: FrameBatch = NO_FRAMES;
  nowMs = 0;

  /** The present frame: `batch.bytes[start .. start + length)`, at least a header long. */
  index = 0;
  start = 0;
  length = 0;
  /** The offloads that it needs, and the number of finished frames that it makes, after the check of its offload header. */
  neededOffload: Offloads = OFFLOAD_NONE;
  frames = 1;
  vid: Vid = UNTAGGED;
  source: MacAddress = 0 as MacAddress;
  destination: MacAddress = 0 as MacAddress;
  /** The only egress port of the frame; undefined: it is flooded. */
  egress: BridgePort | undefined = undefined;
  /** For a frame to a group whose members are known: the ports to flood it to; undefined: all. */
  members: readonly BridgePort[] | undefined = undefined;
  /** Whether the decision does not hold for the next frame with the same key. */
  isDecidedAlone = false;

  /** For a flooded frame: the ports that send it, and those that cannot. */
  readonly flood: BridgePort[] = [];
  readonly refusedFlood: { egress: BridgePort; reason: DiscardReason }[] = [];
  /** Why a stage has refused the present frame. */
  refusal: DiscardReason = 'filtered';
  /** Why frames with the present key are discarded; undefined: they go to `egress`, or are flooded. */
  keyRefusal: DiscardReason | undefined = undefined;

  /** The permits of stages: of the present frame, of frames with its source, and of frames with its key. */
  permit: FlowPermit = MAY_PASS;
  sourcePermit: FlowPermit = MAY_PASS;
  keyPermit: FlowPermit = MUST_COME;
  /** Whether the ingress port or one that sends frames with the present key is VLAN-aware, so that tags may have to change. */
  mayRetag = false;
  readonly #offload: SoftwareOffload;
  readonly #retagging = new Retagging();
  /** What `#finishFirst` made of the present frame, by form, since flooding needs it for several ports. */
  readonly #tagged: TaggedFrames[] = [];
  readonly #touched: BridgePort[] = [];

  constructor(engine: OffloadEngine, ingress: BridgePort) {
    this.#offload = new SoftwareOffload(engine);
    this.ingress = ingress;
  }

  begin(id: number, ingress: BridgePort, batch: FrameBatch, nowMs: number): void {
    this.id = id;
    this.ingress = ingress;
    this.batch = batch;
    this.nowMs = nowMs;
    this.frames = 1;
    this.neededOffload = OFFLOAD_NONE;
    this.#offload.begin();
  }

  /** Applies the answer of a stage for one frame. @returns whether the frame goes on; if not, `refusal` says why */
  allowsFrame(answer: Answer): boolean {
    return answer === MAY_PASS || this.#restrictFrame(answer);
  }

  /** Applies an answer for all frames with the present source and VID. */
  allowsSource(answer: Answer): boolean {
    return answer === MAY_PASS || this.#restrictSource(answer);
  }

  /** Applies an answer for all frames with the present key. */
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

  /** Reads the offloads that the present frame needs, if the batch has offload headers. */
  lookAtOffload(length: number): void {
    const { batch } = this;
    this.frames = 1;
    this.length = length;
    if (batch.hasOffloadHeaders) this.readNeededOffload();
  }

  /** Reads the offload header of the present frame. */
  readNeededOffload(): void {
    const { bytes, starts } = this.batch;
    this.neededOffload = neededOffloads(bytes, (starts[this.index] as number) - OFFLOAD_HEADER_BYTES);
  }

  /** The only port to which frames were sent; undefined for none or several. */
  get touched(): BridgePort | undefined {
    return this.#touched.length === 1 ? this.#touched[0] : undefined;
  }

  /** Sends the present frame to all ports of the flood. */
  sendFlood(): void {
    const { flood, refusedFlood, batch, index, frames } = this;
    if (this.neededOffload === OFFLOAD_NONE && !this.mayRetag) {
      for (let at = 0; at < flood.length; at++) this.#queue(flood[at] as BridgePort, batch, index, frames);
    } else {
      for (let at = 0; at < flood.length; at++) this.send(flood[at] as BridgePort);
    }
    if (refusedFlood.length === 0) return;
    for (let at = 0; at < refusedFlood.length; at++) {
      const refused = refusedFlood[at] as (typeof refusedFlood)[number];
      refused.egress.drop('tx', refused.reason, 1, batch, index);
    }
  }

  /**
   * Sends the present frame by a port, after the offloads that the port does not take.
   * @returns whether the port took any of its frames
   */
  send(egress: BridgePort): boolean {
    if (this.mayRetag) return this.#sendInForm(egress, formOf(this.ingress.vlans, egress, this.vid));
    return this.#sendAs(egress, this.batch, this.index, FORM_AS_IT_CAME);
  }

  /** Sends a form of the present frame: frame `index` of `batch`. */
  #sendAs(egress: BridgePort, batch: FrameBatch, index: number, form: Form): boolean {
    const { offloads } = egress.port;
    if ((this.neededOffload & ~offloads) === OFFLOAD_NONE) return this.#queue(egress, batch, index, this.frames);
    const finished = this.#offload.finish(batch, index, offloads, form, this.index);
    if (typeof finished !== 'string') return this.#queueFinished(egress, finished);
    egress.drop('tx', finished, 1, batch, index);
    return false;
  }

  /** The change of the tag that frame `index` of the batch needs for an egress port; undefined: it ends inside of its tag. */
  changeFor(egress: BridgePort, index: number, vid: Vid): TagChange | undefined {
    const form = formOf(this.ingress.vlans, egress, vid);
    return this.#findChange(index, vid, form) ? this.#retagging.change : undefined;
  }

  #findChange(index: number, vid: Vid, form: Form): boolean {
    const { bytes, starts, lengths } = this.batch;
    const tpid = this.ingress.vlans?.tpid ?? TPID_C_TAG;
    return this.#retagging.change.find(bytes, starts[index] as number, lengths[index] as number, tpid, vid, form);
  }

  #sendInForm(egress: BridgePort, form: Form): boolean {
    const retagging = this.#retagging;
    const { batch, index } = this;
    if (!this.#findChange(index, this.vid, form)) return this.#refuseAt(egress, 'runt');
    if (retagging.change.isNone) return this.#sendAs(egress, batch, index, FORM_AS_IT_CAME);
    if (this.neededOffload !== OFFLOAD_NONE && this.#getsTooManyTags(retagging.change))
      return this.#finishFirst(egress, form);
    const failure = retagging.copy(batch, index, form);
    if (failure !== undefined) return this.#refuseAt(egress, failure);
    return this.#sendAs(egress, retagging.batch, retagging.index, form);
  }

  /** Whether the headers behind the tags are no longer found when the present frame has got its tag. */
  #getsTooManyTags({ strippedBytes, tag }: TagChange): boolean {
    const { bytes, starts, lengths } = this.batch;
    if (tag === 0 || strippedBytes !== 0) return false;
    return countTags(bytes, starts[this.index] as number, lengths[this.index] as number, MAX_TAGS) === MAX_TAGS;
  }

  /** Does all offloads of the present frame, and then changes the tags of the finished frames. */
  #finishFirst(egress: BridgePort, form: Form): boolean {
    const { index } = this;
    const tagged = this.#tagged[form] ?? { index: -1, frames: [] };
    this.#tagged[form] = tagged;
    if (tagged.index !== index) {
      const failure = this.#tagFinished(tagged.frames);
      if (failure !== undefined) return this.#refuseAt(egress, failure);
      tagged.index = index;
    }
    let isTaken = false;
    for (const { batch, index: at, failure } of tagged.frames) {
      if (failure === undefined) isTaken = this.#queue(egress, batch, at, 1) || isTaken;
      else egress.drop('tx', failure, 1, batch, at);
    }
    return isTaken;
  }

  /** @returns why there are no finished frames; undefined: they are in `to`, with their tags */
  #tagFinished(to: TaggedFrame[]): DiscardReason | undefined {
    const retagging = this.#retagging;
    to.length = 0;
    const finished = this.#offload.finish(this.batch, this.index, OFFLOAD_NONE);
    if (typeof finished === 'string') return finished;
    for (let at = finished.from; at < finished.to; at++) {
      const failure = retagging.copy(finished.batch, at);
      const { batch, index } = failure === undefined ? retagging : { batch: finished.batch, index: at };
      to.push({ batch, index, failure });
    }
    return undefined;
  }

  #refuseAt(egress: BridgePort, reason: DiscardReason): boolean {
    egress.drop('tx', reason, 1, this.batch, this.index);
    return false;
  }

  #queueFinished(egress: BridgePort, finished: FinishedFrames): boolean {
    let isTaken = false;
    for (let at = finished.from; at < finished.to; at++) {
      // Segments of an encapsulation may have become a datagram super-frame.
      isTaken = this.#queue(egress, finished.batch, at, framesIn(finished.batch, at)) || isTaken;
    }
    return isTaken;
  }

  #queue(egress: BridgePort, batch: FrameBatch, index: number, frames: number): boolean {
    // Also if the port refuses the frame: its congestion must be returned to the ingress port.
    if (egress.touchedBy !== this.id) {
      egress.touchedBy = this.id;
      this.#touched.push(egress);
    }
    const refused = egress.port.send(batch, index);
    if (refused === undefined) egress.tx.count(batch.lengths[index] as number, frames);
    else egress.drop('tx', refused, frames, batch, index);
    return refused === undefined;
  }

  /**
   * Flushes all ports to which frames were sent.
   * @returns the only port that all frames of the ingress port have recently gone to
   */
  end(): BridgePort | undefined {
    const { ingress, nowMs } = this;
    const [first] = this.#touched;
    const isSoleEgress = this.#touched.length === 1;
    for (const egress of this.#touched) egress.port.flush(isSoleEgress);
    this.#touched.length = 0;
    this.batch = NO_FRAMES;
    this.#retagging.end();
    this.#tagged.length = 0;
    if (first === undefined) return undefined;
    const sole = isSoleEgress ? first : undefined;
    if (sole !== ingress.soleEgress) {
      ingress.soleEgress = sole;
      ingress.soleSinceMs = nowMs;
    }
    return sole !== undefined && ingress.sendsOnlyTo(sole, nowMs) ? sole : undefined;
  }
}
