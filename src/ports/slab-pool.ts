import { FrameBatch } from '../wire/frame-batch.ts';

/**
 * The slabs that one device reads into. Nearly always one is enough, and it
 * stays hot in the cache; another is made only while somebody holds the first.
 */
export class SlabPool {
  readonly #slabBytes: number;
  readonly #slabFrames: number;
  readonly #maxSlabs: number;
  readonly #slabs: FrameBatch[] = [];

  /**
   * @param slabBytes the size of each slab
   * @param slabFrames the most frames in each
   * @param maxSlabs the bound: memory is at most their product
   */
  constructor(slabBytes: number, slabFrames: number, maxSlabs: number) {
    this.#slabBytes = slabBytes;
    this.#slabFrames = slabFrames;
    this.#maxSlabs = maxSlabs;
  }

  /** A batch that nobody holds, or undefined when all are held and no more may be made. */
  take(): FrameBatch | undefined {
    for (const slab of this.#slabs) {
      if (slab.holds === 0) return slab;
    }
    if (this.#slabs.length >= this.#maxSlabs) return undefined;
    // Not from Node's pool, and not zeroed: the kernel writes before anybody reads.
    const slab = new FrameBatch(Buffer.allocUnsafeSlow(this.#slabBytes), this.#slabFrames);
    slab.hasOffloadHeaders = true;
    this.#slabs.push(slab);
    return slab;
  }
}
