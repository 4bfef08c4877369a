/** A holder of buffered octets: a tunnel with its egress queue and its unfinished ingress message. */
export interface BufferHolder {
  /** Octets that it holds now. */
  readonly heldBytes: number;
  /**
   * Frees at least `bytes` octets, or all that it has: at once, or by ending its connection in the next turn of the
   * event loop.
   * @returns the number of octets that are freed in either way
   */
  shed(bytes: number): number;
}

/** The function of the addon that is used here. */
interface SharesCells {
  /** @param cells octets held by native code, octets held by JavaScript, and the limit of their sum */
  shareBufferCells(cells: Float64Array): void;
}

const NATIVE = 0;
const JAVASCRIPT = 1;
const LIMIT = 2;

export const DEFAULT_BUFFERS_BYTES: number = 256 * 1024 * 1024;
/**
 * Watermarks as shares of the limit: above the high one holders shed down to the low one. As in
 * native/datapath/buffer_budget.h.
 */
const HIGH_WATERMARK = 15 / 16;
const LOW_WATERMARK = 7 / 8;
/** Above this share queues take no frames. The rest is for octets that cannot be dropped: parts of messages. */
const FULL = 31 / 32;
/** Minimum time between two passes: octets of a connection that ends are freed one turn of the event loop later. */
const PASS_INTERVAL_MS = 20;

/**
 * The bound of the octets in all queues and unfinished messages of the process.
 * Each of them has a bound too, but there may be ten thousand of them.
 *
 * - Below the high watermark it only counts.
 * - Above it the largest holders are cut to one common level, chosen so that the
 *   low watermark is reached: queues drop their oldest frames, and a connection
 *   whose unfinished messages alone exceed the level ends. That frees all that
 *   the connection held, so smaller holders may lose less.
 * - At FULL queues take no more frames. At the limit native code stores no more
 *   parts of messages, except short ones: the tunnel ends.
 */
export class BufferBudget {
  readonly #cells = new Float64Array(3);
  readonly #holders = new Set<BufferHolder>();
  readonly #now: () => number;
  #nextPassMs = Number.NEGATIVE_INFINITY;
  #sharedWith: SharesCells | undefined;
  /** Called when holders have to shed. */
  onPressure: ((heldBytes: number) => void) | undefined = undefined;

  /** @param now monotonic milliseconds */
  constructor(limitBytes: number = DEFAULT_BUFFERS_BYTES, now: () => number = () => performance.now()) {
    this.#now = now;
    this.limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#cells[LIMIT] as number;
  }

  set limitBytes(bytes: number) {
    if (!(bytes > 0)) throw new RangeError(`limitBytes is ${bytes}, not a positive number`);
    this.#cells[LIMIT] = bytes;
  }

  get heldBytes(): number {
    return (this.#cells[NATIVE] as number) + (this.#cells[JAVASCRIPT] as number);
  }

  /** Whether queues must refuse frames. */
  get isFull(): boolean {
    return this.heldBytes >= this.limitBytes * FULL;
  }

  /** Counts octets as held, by a holder or by a short-lived buffer. */
  hold(bytes: number): void {
    (this.#cells[JAVASCRIPT] as number) += bytes;
  }

  /** Counts octets as freed. */
  release(bytes: number): void {
    (this.#cells[JAVASCRIPT] as number) -= bytes;
  }

  /** Registers a holder, which may be told to shed from now on. */
  add(holder: BufferHolder): void {
    this.#holders.add(holder);
  }

  remove(holder: BufferHolder): void {
    this.#holders.delete(holder);
  }

  /** Shares the counters with native code. */
  share(addon: SharesCells): void {
    if (this.#sharedWith === addon) return;
    this.#sharedWith = addon;
    addon.shareBufferCells(this.#cells);
  }

  /** Makes holders shed when the high watermark is passed. To be called after octets were taken. */
  relieve(): void {
    const held = this.heldBytes;
    if (held <= this.limitBytes * HIGH_WATERMARK) return;
    const nowMs = this.#now();
    if (nowMs < this.#nextPassMs) return;
    this.#nextPassMs = nowMs + PASS_INTERVAL_MS;
    this.onPressure?.(held);
    this.#cutDown(held - this.limitBytes * LOW_WATERMARK);
  }

  #cutDown(excessBytes: number): void {
    const held = [...this.#holders].map((holder) => ({ holder, bytes: holder.heldBytes }));
    held.sort((a, b) => b.bytes - a.bytes);
    const level = levelOf(
      held.map(({ bytes }) => bytes),
      excessBytes,
    );
    let remaining = excessBytes;
    for (const { holder, bytes } of held) {
      if (bytes <= level || remaining <= 0) return;
      remaining -= holder.shed(bytes - level);
    }
  }
}

/**
 * The level to which the largest holders must be cut to free `excessBytes` octets.
 * @param sizes in octets, largest first
 */
export function levelOf(sizes: readonly number[], excessBytes: number): number {
  let sum = 0;
  for (const [index, size] of sizes.entries()) {
    sum += size;
    const level = (sum - excessBytes) / (index + 1);
    if (level >= (sizes[index + 1] ?? 0)) return Math.floor(level);
  }
  return 0;
}

/** The budget of this process. */
export const BUFFERS: BufferBudget = new BufferBudget();
