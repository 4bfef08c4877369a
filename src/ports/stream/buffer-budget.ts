/** Something that holds octets for a while: a tunnel with its queue and what has come of a message. */
export interface BufferHolder {
  /** Octets that it holds at the moment. */
  readonly heldBytes: number;
  /**
   * Gives up at least so many of them, if it has them: at once, or with the connection in the next turn of the loop.
   * @returns how many octets that gives back, now or then
   */
  shed(bytes: number): number;
}

/** What native code needs of the addon. */
interface SharesCells {
  /** @param cells octets that native code holds, those that JavaScript holds, and the limit of both */
  shareBufferCells(cells: Float64Array): void;
}

const NATIVE = 0;
const JAVASCRIPT = 1;
const LIMIT = 2;

export const DEFAULT_BUFFERS_BYTES: number = 256 * 1024 * 1024;
/** Shares of the limit: from here on holders have to shed, down to there. As in native/datapath/buffer_budget.h. */
const HIGH_WATERMARK = 15 / 16;
const LOW_WATERMARK = 7 / 8;
/** From here on queues take no frames. Above it there is room for what cannot be dropped: parts of messages. */
const FULL = 31 / 32;
/** What a connection holds that has to end is given back a turn of the loop later: until then nothing else has to go. */
const PASS_INTERVAL_MS = 20;

/**
 * The bound of what all queues and unfinished messages of the process hold
 * together. Each has a bound of its own, but there may be ten thousand of them.
 *
 * - Below the high watermark it only counts.
 * - Above it those that hold most are cut down to one level, as low as is needed
 *   to reach the low watermark: queues lose their oldest frames, and a connection
 *   whose unfinished messages alone are above the level ends. It gives back all
 *   that it held, so those behind it may keep theirs.
 * - Where it is full queues take no more frames, and at the limit native code keeps
 *   no more parts of messages, but for short ones: the tunnel ends.
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

  /** Whether nothing more may be taken that can be done without. */
  get isFull(): boolean {
    return this.heldBytes >= this.limitBytes * FULL;
  }

  /** Counts octets as held, of a holder or of something that gives them back soon. */
  hold(bytes: number): void {
    (this.#cells[JAVASCRIPT] as number) += bytes;
  }

  /** They are given back. */
  release(bytes: number): void {
    (this.#cells[JAVASCRIPT] as number) -= bytes;
  }

  /** From now on it may have to shed. */
  add(holder: BufferHolder): void {
    this.#holders.add(holder);
  }

  remove(holder: BufferHolder): void {
    this.#holders.delete(holder);
  }

  /** Lets native code count in the same cells. */
  share(addon: SharesCells): void {
    if (this.#sharedWith === addon) return;
    this.#sharedWith = addon;
    addon.shareBufferCells(this.#cells);
  }

  /** Lets holders shed where too much is held. To be called where more was taken. */
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
 * To which level the largest have to be cut for so many octets.
 * @param sizes the largest first
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
