/** The most octets that a tunnel reads per wake-up: few enough not to delay other tunnels. */
export const READ_BYTES: number = 256 * 1024;
/** The longest message with its header, and one read behind it. */
const SLAB_BYTES = 1024 * 1024 + 64 + READ_BYTES;
/** How many tunnels may keep a slab between two wake-ups. Other tunnels copy their unfinished messages to blocks. */
export const MAX_KEPT = 8;

/** A buffer for received octets. */
export interface Slab {
  readonly bytes: Buffer;
  /** Whether a tunnel keeps it between two wake-ups. */
  isKept: boolean;
}

/**
 * The slabs that the tunnels of the process read into. Delivery is synchronous,
 * so one slab serves all tunnels and stays in the processor cache; idle tunnels
 * hold none. A tunnel with a long unfinished message may keep the slab, so that
 * the rest of the message arrives behind its beginning without a copy.
 *
 * There is one slab to read into, and one for each that was kept at the same
 * time. They are not freed: a new slab costs more than filling it by a read.
 */
export class ReceiveSlabs {
  /** Free slabs; the last one was used most recently and is still in the processor cache. */
  readonly #idle: Slab[] = [];
  #kept = 0;

  take(): Slab {
    return this.#idle.pop() ?? { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), isKept: false };
  }

  /** Keeps a slab beyond the wake-up, until `release`. @returns false when MAX_KEPT slabs are kept already */
  keep(slab: Slab): boolean {
    if (slab.isKept) return true;
    if (this.#kept >= MAX_KEPT) return false;
    slab.isKept = true;
    this.#kept++;
    return true;
  }

  /** Gives a slab of `take` back. The caller must not use it any more. */
  release(slab: Slab): void {
    if (slab.isKept) this.#kept--;
    slab.isKept = false;
    if (this.#idle.length <= MAX_KEPT) this.#idle.push(slab);
  }
}

/** Those of this process. */
export const RECEIVE_SLABS: ReceiveSlabs = new ReceiveSlabs();
