import { BLOCKS } from './block-pool.ts';
import type { NotedFrames, Packing } from './packing.ts';

/** Messages that several tunnels send, `block[0 .. end)`; unmasked, as a server must send them. */
export interface SharedBlock {
  readonly block: Buffer;
  readonly end: number;
  /** Reference count: each write in progress, and one while `find` can return it. */
  users: number;
  /** Whether a closed transport may still read it: then it does not go back to the pool. */
  isAbandoned: boolean;
}

/**
 * Caches the last packed messages for the next tunnel that sends the same frames
 * on the same wire: a flooded frame is packed once for all tunnels. Ports are
 * flushed one after the other, so one entry is enough.
 */
export class SharedMessages {
  #packing: Packing | undefined;
  /** The frames of the cached messages: pairs of a batch's serial number and an index. */
  #made: number[] = [];
  #block: SharedBlock | undefined;

  /** @returns the messages of these frames, with `users` incremented; undefined when they are not cached */
  find(packing: Packing, frames: NotedFrames): SharedBlock | undefined {
    const block = this.#block;
    if (block === undefined || packing !== this.#packing || !this.#isMadeOf(frames)) return undefined;
    block.users++;
    return block;
  }

  /** Caches messages in place of the last ones. @returns the messages, with the caller counted in `users` */
  share(packing: Packing, { batches, indexes, from, to }: NotedFrames, block: Buffer, end: number): SharedBlock {
    if (this.#block !== undefined) this.release(this.#block);
    this.#packing = packing;
    this.#made.length = 0;
    for (let i = from; i < to; i++) this.#made.push(batches[i]?.serial ?? 0, indexes[i] ?? 0);
    this.#block = { block, end, users: 2, isAbandoned: false };
    return this.#block;
  }

  /** Decrements `users`; at 0 the block goes back to the pool. */
  release(shared: SharedBlock): void {
    shared.users--;
    if (shared.users > 0) return;
    if (shared.isAbandoned) BLOCKS.forget(shared.block);
    else BLOCKS.release(shared.block);
    if (this.#block === shared) this.#block = undefined;
  }

  /** As `release`, for a write that may still be in progress. */
  abandon(shared: SharedBlock): void {
    shared.isAbandoned = true;
    this.release(shared);
  }

  #isMadeOf({ batches, indexes, from, to }: NotedFrames): boolean {
    if (this.#made.length !== 2 * (to - from)) return false;
    for (let i = from; i < to; i++) {
      const at = 2 * (i - from);
      if (this.#made[at] !== batches[i]?.serial || this.#made[at + 1] !== indexes[i]) return false;
    }
    return true;
  }
}

/** Those of this process. */
export const SHARED_MESSAGES: SharedMessages = new SharedMessages();
