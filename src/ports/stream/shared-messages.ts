import { BLOCKS } from './block-pool.ts';
import type { NotedFrames, Packing } from './packing.ts';

/** Messages that several tunnels send, unmasked as servers do: `block[0 .. end)`. */
export interface SharedBlock {
  readonly block: Buffer;
  readonly end: number;
  /** Writes that are under way with it, and one while it can still be found. */
  users: number;
  /** A transport that is gone may still read it: it must not be used again. */
  isAbandoned: boolean;
}

/**
 * The messages that were made last, for the next tunnel that wants the same
 * frames in the same form: a flood makes them once, however many tunnels it
 * goes to. All of them are flushed one behind the other, so remembering one is
 * enough.
 */
export class SharedMessages {
  #packing: Packing | undefined;
  /** What the messages were made of: pairs of a batch's serial number and an index. */
  #made: number[] = [];
  #block: SharedBlock | undefined;

  /** @returns the messages of these frames, with one more user; undefined when they were not the last that were made */
  find(packing: Packing, frames: NotedFrames): SharedBlock | undefined {
    const block = this.#block;
    if (block === undefined || packing !== this.#packing || !this.#isMadeOf(frames)) return undefined;
    block.users++;
    return block;
  }

  /** Remembers messages, instead of the last ones. @returns them, with the caller as a user */
  share(packing: Packing, { batches, indexes, from, to }: NotedFrames, block: Buffer, end: number): SharedBlock {
    if (this.#block !== undefined) this.release(this.#block);
    this.#packing = packing;
    this.#made.length = 0;
    for (let i = from; i < to; i++) this.#made.push(batches[i]?.serial ?? 0, indexes[i] ?? 0);
    this.#block = { block, end, users: 2, isAbandoned: false };
    return this.#block;
  }

  /** One user less; the last one gives the block back. */
  release(shared: SharedBlock): void {
    shared.users--;
    if (shared.users > 0) return;
    if (shared.isAbandoned) BLOCKS.forget(shared.block);
    else BLOCKS.release(shared.block);
    if (this.#block === shared) this.#block = undefined;
  }

  /** As `release`, of a write that may not be over. */
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
