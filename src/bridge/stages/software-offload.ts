import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { OffloadEngine } from '../../wire/offload/engine.ts';
import { MAX_FINISHED_BYTES } from '../../wire/offload/gso.ts';
import type { DiscardReason } from '../port.ts';

/** Takes all that a usual wake-up's super-frames become, so that ports get them as one batch. */
const SLAB_BYTES = Math.max(MAX_FINISHED_BYTES, 1 << 20);

/** Finished frames `from .. to` of `batch`, made of one frame that needed offload. */
export interface FinishedFrames {
  readonly batch: FrameBatch;
  readonly from: number;
  readonly to: number;
}

/**
 * Egress rewriting: does in software what an egress port cannot (checksums, GSO).
 * Segments of a super-frame are made once, however many ports need them, and stay
 * until the end of the batch, because ports do their work in `flush`.
 */
export class SoftwareOffload {
  readonly #engine: OffloadEngine;
  readonly #slabs: FrameBatch[] = [];
  #slabsInUse = 0;
  #lastIndex = -1;
  #last: FinishedFrames | DiscardReason = 'badOffload';

  constructor(engine: OffloadEngine) {
    this.#engine = engine;
  }

  /** Everything that was made for the batch before may be overwritten. */
  begin(): void {
    this.#slabsInUse = 0;
    this.#lastIndex = -1;
  }

  /** The finished frames that frame `index` of the present batch stands for, or why there are none. */
  finish(batch: FrameBatch, index: number): FinishedFrames | DiscardReason {
    // Flooding asks for the same frame port after port.
    if (index !== this.#lastIndex) {
      this.#last = this.#make(batch, index);
      this.#lastIndex = index;
    }
    return this.#last;
  }

  #make(batch: FrameBatch, index: number): FinishedFrames | DiscardReason {
    let out = this.#slabsInUse === 0 ? this.#nextSlab() : (this.#slabs[this.#slabsInUse - 1] as FrameBatch);
    let from = out.count;
    let failure = this.#engine.finish(batch, index, out);
    if (failure === 'queueFull') {
      out = this.#nextSlab();
      from = 0;
      failure = this.#engine.finish(batch, index, out);
    }
    return failure ?? { batch: out, from, to: out.count };
  }

  #nextSlab(): FrameBatch {
    let slab = this.#slabs[this.#slabsInUse];
    if (slab === undefined) {
      slab = new FrameBatch(Buffer.allocUnsafeSlow(SLAB_BYTES), 1024);
      slab.hasOffloadHeaders = true;
      this.#slabs[this.#slabsInUse] = slab;
    }
    slab.clear();
    this.#slabsInUse++;
    return slab;
  }
}
