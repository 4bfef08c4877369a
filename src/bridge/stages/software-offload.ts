import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import { MAX_FINISHED_BYTES } from '../../wire/offload/gso.ts';
import { OFFLOAD_CHECKSUM, OFFLOAD_NONE, OFFLOAD_USO, type Offloads } from '../../wire/offload/virtio-header.ts';
import type { DiscardReason } from '../port.ts';
import { FORM_AS_IT_CAME, FORMS, type Form } from './vlan-retagging.ts';

/** The offloads of an egress port that takes encapsulated segments as one UDP super-frame. */
const PACKED: Offloads = OFFLOAD_USO | OFFLOAD_CHECKSUM;
/** Enough for the segments of a usual batch, so that ports get them as one batch. */
const SLAB_BYTES = Math.max(MAX_FINISHED_BYTES, 1 << 20);

/** The finished frames `from .. to` of `batch`, made from one frame that needed offloads. */
export interface FinishedFrames {
  readonly batch: FrameBatch;
  readonly from: number;
  readonly to: number;
}

/**
 * Egress rewriting: does the offloads that an egress port does not take (checksums, GSO).
 * Segments of a super-frame are made once for all ports that need them, and stay valid
 * until the end of the batch, because ports send in `flush`.
 */
export class SoftwareOffload {
  readonly #engine: OffloadEngine;
  readonly #slabs: FrameBatch[] = [];
  #slabsInUse = 0;
  /** The last frame that was finished in each form: for ports without offloads, and for ports that take UDP super-frames. */
  readonly #lastIndexes = new Int32Array(2 * FORMS);
  readonly #last: (FinishedFrames | DiscardReason)[] = [];

  constructor(engine: OffloadEngine) {
    this.#engine = engine;
  }

  /** Begins a batch; finished frames of the batch before may be overwritten. */
  begin(): void {
    this.#slabsInUse = 0;
    this.#lastIndexes.fill(-1);
  }

  /**
   * The finished frames of frame `index` for an egress port that takes `offloads`, or why there are none.
   * @param form the form of its outer tag
   * @param original the index of the frame that it is a form of, in the batch of the pass
   */
  finish(
    batch: FrameBatch,
    index: number,
    offloads: Offloads,
    form: Form = FORM_AS_IT_CAME,
    original: number = index,
  ): FinishedFrames | DiscardReason {
    // Flooding needs the same finished frames for several ports.
    const isPacked = (offloads & PACKED) === PACKED;
    const at = 2 * form + (isPacked ? 1 : 0);
    if (original !== this.#lastIndexes[at]) {
      this.#last[at] = this.#make(batch, index, isPacked ? PACKED : OFFLOAD_NONE);
      this.#lastIndexes[at] = original;
    }
    return this.#last[at] as FinishedFrames | DiscardReason;
  }

  #make(batch: FrameBatch, index: number, offloads: Offloads): FinishedFrames | DiscardReason {
    let out = this.#slabsInUse === 0 ? this.#nextSlab() : (this.#slabs[this.#slabsInUse - 1] as FrameBatch);
    let from = out.count;
    let failure = this.#engine.finish(batch, index, out, offloads);
    if (failure === 'queueFull') {
      out = this.#nextSlab();
      from = 0;
      failure = this.#engine.finish(batch, index, out, offloads);
    }
    return failure ?? { batch: out, from, to: out.count };
  }

  #nextSlab(): FrameBatch {
    let slab = this.#slabs[this.#slabsInUse];
    if (slab === undefined) {
      slab = new FrameBatch(Buffer.allocUnsafeSlow(SLAB_BYTES), 1024);
      this.#slabs[this.#slabsInUse] = slab;
    }
    slab.clear();
    this.#slabsInUse++;
    return slab;
  }
}
