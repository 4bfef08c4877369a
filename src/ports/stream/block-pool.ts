import type { Memory } from '../../wire/websocket/parser.ts';
import { BUFFERS, type BufferBudget } from './buffer-budget.ts';

const SMALLEST_BITS = 10;
const LARGEST_BITS = 20;
/** Memory of a buffer beyond its octets: objects of JavaScript, V8 and malloc. Measured: about 400 octets. */
const BLOCK_OVERHEAD_BYTES = 512;
/** The most free octets that the pool keeps of each block size. */
const KEPT_BYTES = 2 * 1024 * 1024;

/**
 * Short-lived buffers of tunnels, in powers of two from 1 KiB to 1 MiB. One
 * pool serves all tunnels: idle tunnels hold no buffer, and the buffers in use
 * stay in the processor cache.
 */
export class BlockPool implements Memory {
  readonly #free: Buffer[][] = [];
  readonly #budget: BufferBudget | undefined;

  /** @param budget counts the octets of each block from `take` to `release` */
  constructor(budget?: BufferBudget) {
    this.#budget = budget;
    for (let bits = SMALLEST_BITS; bits <= LARGEST_BITS; bits++) this.#free.push([]);
  }

  /** @returns a buffer of at least `bytes` octets with undefined contents; it belongs to the caller until `release` */
  take(bytes: number): Buffer {
    const size = sizeClass(bytes);
    const free = this.#free[size];
    // allocUnsafeSlow: not a slice of Node's shared pool.
    const block =
      free === undefined
        ? Buffer.allocUnsafeSlow(bytes)
        : (free.pop() ?? Buffer.allocUnsafeSlow(1 << (size + SMALLEST_BITS)));
    this.#budget?.hold(block.length + BLOCK_OVERHEAD_BYTES);
    return block;
  }

  /** Gives a buffer of `take` back. The caller must not use or release it again. */
  release(block: Buffer): void {
    this.forget(block);
    const size = sizeClass(block.length);
    const free = this.#free[size];
    if (free === undefined || block.length !== 1 << (size + SMALLEST_BITS)) return;
    if (free.length * block.length < KEPT_BYTES) free.push(block);
  }

  /** Leaves a buffer of `take` to the garbage collector, because a write may still read it. */
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
