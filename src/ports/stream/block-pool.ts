import type { Memory } from '../../wire/websocket/parser.ts';
import { BUFFERS, type BufferBudget } from './buffer-budget.ts';

const SMALLEST_BITS = 10;
const LARGEST_BITS = 20;
/** What a buffer takes besides its octets: objects of JavaScript and of V8, and malloc's. Measured: some 400. */
const BLOCK_OVERHEAD_BYTES = 512;
/** What the pool keeps of each size: enough for every tunnel that is in the middle of something. */
const KEPT_BYTES = 2 * 1024 * 1024;

/**
 * Buffers that tunnels use for a moment, in powers of two from 1 KiB to 1 MiB.
 * One pool serves all tunnels, so an idle one owns none, and the buffers stay
 * warm in the processor's cache.
 */
export class BlockPool implements Memory {
  readonly #free: Buffer[][] = [];
  readonly #budget: BufferBudget | undefined;

  /** @param budget what is taken counts there until it is given back */
  constructor(budget?: BufferBudget) {
    this.#budget = budget;
    for (let bits = SMALLEST_BITS; bits <= LARGEST_BITS; bits++) this.#free.push([]);
  }

  /** @returns a buffer of at least so many octets, with any contents; the caller's until `release` */
  take(bytes: number): Buffer {
    const size = sizeClass(bytes);
    const free = this.#free[size];
    // allocUnsafeSlow: a block has its own memory, never a slice of Node's shared pool.
    const block =
      free === undefined
        ? Buffer.allocUnsafeSlow(bytes)
        : (free.pop() ?? Buffer.allocUnsafeSlow(1 << (size + SMALLEST_BITS)));
    this.#budget?.hold(block.length + BLOCK_OVERHEAD_BYTES);
    return block;
  }

  /** Takes a buffer of `take` back. It must not be used or released again. */
  release(block: Buffer): void {
    this.forget(block);
    const size = sizeClass(block.length);
    const free = this.#free[size];
    if (free === undefined || block.length !== 1 << (size + SMALLEST_BITS)) return;
    if (free.length * block.length < KEPT_BYTES) free.push(block);
  }

  /** Leaves a buffer of `take` to the garbage collector, since something may still read it. */
  forget(block: Buffer): void {
    this.#budget?.release(block.length + BLOCK_OVERHEAD_BYTES);
  }
}

function sizeClass(bytes: number): number {
  const bits = 32 - Math.clz32(Math.max(bytes, 1) - 1);
  return Math.max(bits - SMALLEST_BITS, 0);
}

/** The pool of this process. */
export const BLOCKS: BlockPool = new BlockPool(BUFFERS);
