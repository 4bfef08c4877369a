/** What a tunnel reads at once, at most: enough for any wake-up, little enough for the others' turn. */
export const READ_BYTES: number = 256 * 1024;
/** The longest message of a tunnel with its header, and a read behind it. */
const SLAB_BYTES = 1024 * 1024 + 64 + READ_BYTES;
/** How many tunnels may keep a slab between two wake-ups. Beyond that, what they keep is copied out. */
export const MAX_KEPT = 8;

/** A place for octets as they arrive. */
export interface Slab {
  readonly bytes: Buffer;
  /** A tunnel keeps it between two wake-ups. */
  isKept: boolean;
}

/**
 * The slabs that the tunnels of a process read into. Delivery is synchronous,
 * so one serves all of them, stays in the cache, and idle tunnels own none. A
 * tunnel that is in the middle of a long message may keep it, so that the rest
 * arrives behind what is there and nothing is copied.
 *
 * There are never more than are kept at the same time and the one that is read
 * into. They stay, because a new one costs more than reading it full.
 */
export class ReceiveSlabs {
  /** The one that was used last, and is still in the cache, at the end. */
  readonly #idle: Slab[] = [];
  #kept = 0;

  take(): Slab {
    return this.#idle.pop() ?? { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), isKept: false };
  }

  /** Asks to keep a slab beyond the wake-up, until `release`. @returns false when too many are kept already */
  keep(slab: Slab): boolean {
    if (slab.isKept) return true;
    if (this.#kept >= MAX_KEPT) return false;
    slab.isKept = true;
    this.#kept++;
    return true;
  }

  /** Takes a slab of `take` back. It must not be used any more. */
  release(slab: Slab): void {
    if (slab.isKept) this.#kept--;
    slab.isKept = false;
    if (this.#idle.length <= MAX_KEPT) this.#idle.push(slab);
  }
}

/** Those of this process. */
export const RECEIVE_SLABS: ReceiveSlabs = new ReceiveSlabs();
