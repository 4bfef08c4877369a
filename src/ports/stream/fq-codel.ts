import type { DiscardReason } from '../../bridge/port.ts';
import { flowHashOf } from '../../wire/ethernet/flow-hash.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { RECORD_LEAD_BYTES } from '../../wire/tunnel/tunnel-message.ts';
import type { BlockPool } from './block-pool.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { FlowRounds } from './flow-rounds.ts';
import { Occupancy } from './frame-fifo.ts';

/** How many queues the flows are spread over (RFC 8290, 5.2.5). */
const QUEUES = 1024;

/**
 * The longest turn of a flow. For super-frames of 64 KiB it is short of RFC
 * 8290's one frame, so such a flow is passed over up to four times for each: the
 * price of a turn of others that takes 1.3 ms at 100 Mbit/s, not 5. Sparse flows
 * do not feel it: what fits in one turn goes ahead of all bulk.
 */
const MAX_QUANTUM_BYTES = 16 * 1024;

/** What frames occupy, with the slack of their blocks, is at most so many times `queueBytes`. */
const HELD_FACTOR = 4;
/** But a queue may be so short that one block is longer. */
const MIN_HELD_BYTES = 256 * 1024;

/** One more secret of each process, against flows that are made to collide. */
const SEED: number = Math.floor(Math.random() * 0x1_0000_0000);

export interface FairQueueOptions {
  /** The bound: octets of records, each a frame and RECORD_LEAD_BYTES. Beyond it the longest flow loses its oldest frames. */
  readonly queueBytes: number;
  readonly blocks: BlockPool;
  /** Where it is full no frame is taken; default: it never is. */
  readonly budget?: Pick<BufferBudget, 'isFull' | 'hold' | 'release'>;
  /** The wait that is no reason to drop; 5 ms (RFC 8289, 4.4). */
  readonly targetMs?: number;
  /** For how long the wait may be longer: a round trip of the flows, not of the tunnel; 100 ms (RFC 8289, 4.3). */
  readonly intervalMs?: number;
  /** The longest turn of a flow; 16 KiB. */
  readonly maxQuantumBytes?: number;
  /** Called last in `enqueue` and `dequeue`, at most once for each reason. */
  readonly dropped: (reason: FairQueueDiscard, frames: number) => void;
  /** Of the hash of flows; by default one of the process. */
  readonly seed?: number;
}

export type FairQueueDiscard = Extract<DiscardReason, 'queueDelay' | 'queueFull'>;

/**
 * The frames that wait for one tunnel: FQ-CoDel (RFC 8290). Flows take turns,
 * those that just began first, and each is kept from building a standing queue.
 *
 *   1. `enqueue`  copies the frame to its flow's queue; a flow without one is new
 *   2. over the bound: the flow with most octets loses its oldest frames
 *   3. `dequeue`  the first new flow, else the first old one, if it is in credit
 *   4. its head: dropped when the flow has been slow for too long (CoDel), else it leaves
 *
 * Time is an argument, in milliseconds of any monotonic clock. The bound in time
 * is CoDel's alone, not an age at which frames die: after a stall of the tunnel
 * what waits leaves at once and delays no flow, and a link so slow that `queueBytes`
 * is a long time needs few drops a second, which CoDel gets to within seconds. On
 * a fast link a flow that gives way to no loss waits for as long as `queueBytes`
 * allows; it delays only itself.
 *
 * When the last frame has left, everything is given up but this object; and with
 * it what CoDel had learned, for a queue that ran empty was not standing.
 */
export class FqCodel {
  readonly #queueBytes: number;
  readonly #maxHeldBytes: number;
  readonly #maxQuantumBytes: number;
  readonly #perFlow: { targetMs: number; intervalMs: number; blocks: BlockPool; total: Occupancy };
  readonly #total = new Occupancy();
  readonly #dropped: (reason: FairQueueDiscard, frames: number) => void;
  readonly #seed: number;
  readonly #budget: FairQueueOptions['budget'];
  /** Undefined when nothing waits. */
  #rounds: FlowRounds | undefined;

  /** @throws RangeError when a bound or a time is not a positive number */
  constructor(options: FairQueueOptions) {
    this.#queueBytes = positive('queueBytes', options.queueBytes);
    this.#maxHeldBytes = Math.max(MIN_HELD_BYTES, HELD_FACTOR * options.queueBytes);
    this.#maxQuantumBytes = positive('maxQuantumBytes', options.maxQuantumBytes ?? MAX_QUANTUM_BYTES);
    this.#perFlow = {
      targetMs: positive('targetMs', options.targetMs ?? 5),
      intervalMs: positive('intervalMs', options.intervalMs ?? 100),
      blocks: options.blocks,
      total: this.#total,
    };
    this.#dropped = options.dropped;
    this.#budget = options.budget;
    this.#seed = options.seed ?? SEED;
  }

  /** Octets of the records that wait, RECORD_LEAD_BYTES included; never more than `queueBytes`. */
  get bytes(): number {
    return this.#total.bytes;
  }

  get frames(): number {
    return this.#total.frames;
  }

  /** Octets of the blocks that they occupy; 0 when nothing waits. */
  get heldBytes(): number {
    return this.#total.heldBytes;
  }

  /** The same, with what their flows take besides. */
  get memoryBytes(): number {
    return this.#total.heldBytes + (this.#rounds?.overheadBytes ?? 0);
  }

  /** Copies frame `index` with its offload header. When the queue is full, the oldest of the longest flow are dropped. */
  enqueue(batch: FrameBatch, index: number, nowMs: number): void {
    const length = batch.lengths[index] as number;
    if (RECORD_LEAD_BYTES + length > this.#queueBytes || this.#budget?.isFull === true) {
      this.#dropped('queueFull', 1);
      return;
    }
    const queue = flowHashOf(batch.bytes, batch.starts[index] as number, length, this.#seed) % QUEUES;
    this.#rounds ??= new FlowRounds(this.#maxQuantumBytes, this.#budget);
    this.#rounds.widen(RECORD_LEAD_BYTES + length);
    this.#rounds.flowOf(queue, this.#perFlow).fifo.push(batch, index, nowMs);
    const drops = this.#dropExcess(this.#rounds);
    if (drops > 0) this.#dropped('queueFull', drops);
  }

  /**
   * Appends the frames whose turn it is to `into`, which is the caller's own:
   * records as in a device's slab, four free octets and the offload header in
   * front of each frame, one behind the other.
   *
   * It stops before it has added more than `maxBytes` of records, though at
   * least one is added, and where the slab is full.
   *
   * @throws RangeError when a frame does not even fit in the empty slab
   */
  dequeue(into: FrameBatch, maxBytes: number, nowMs: number): void {
    const rounds = this.#rounds;
    if (rounds === undefined) return;
    into.hasOffloadHeaders = true;
    const start = endOf(into);
    let at = start;
    let drops = 0;
    for (let flow = rounds.turn(); flow !== undefined; flow = rounds.turn()) {
      const { fifo, codel } = flow;
      const bytes = fifo.headBytes;
      if (at > start && at - start + bytes > maxBytes) break;
      if (at + bytes > into.bytes.length) {
        if (at === 0) throw new RangeError(`a record of ${bytes} octets for a slab of ${into.bytes.length}`);
        break;
      }
      // A flow's own longest frame is the MTU that RFC 8289, 5.6 leaves in peace: a flow of
      // super-frames may keep 64 KiB, but one of short frames on a slow link may not.
      const isLast = fifo.bytes - bytes <= fifo.longestBytes;
      if (codel.drops(fifo.headWaitedMs(nowMs), isLast, nowMs)) {
        fifo.dropHead();
        drops++;
      } else {
        at = fifo.moveHead(into, at);
        flow.deficitBytes -= bytes;
      }
    }
    if (this.#total.frames === 0) this.#end();
    if (drops > 0) this.#dropped('queueDelay', drops);
  }

  /** Drops frames of the longest flows until so many octets of blocks are free, or nothing waits. @returns how many are */
  shed(bytes: number): number {
    const rounds = this.#rounds;
    if (rounds === undefined) return 0;
    const { memoryBytes } = this;
    const { frames } = this.#total;
    // Empty flows are forgotten from time to time, since that goes through all of them.
    while (this.#total.frames > 0 && memoryBytes - this.memoryBytes < bytes) {
      const few = this.#total.frames / 2;
      while (this.#total.frames > few && memoryBytes - this.memoryBytes < bytes) rounds.dropFromLongest();
      rounds.prune();
    }
    const freed = memoryBytes - this.memoryBytes;
    if (this.#total.frames === 0) this.#end();
    const drops = frames - this.#total.frames;
    if (drops > 0) this.#dropped('queueFull', drops);
    return freed;
  }

  #end(): void {
    this.#rounds?.clear();
    this.#rounds = undefined;
  }

  /** Forgets all that waits, without a word to `dropped`. @returns how many frames */
  clear(): number {
    const { frames } = this.#total;
    this.#end();
    return frames;
  }

  /** @returns how many frames were dropped to be within the bounds */
  #dropExcess(rounds: FlowRounds): number {
    const before = this.#total.frames;
    while (this.#total.bytes > this.#queueBytes || this.#total.heldBytes > this.#maxHeldBytes) {
      rounds.dropFromLongest();
    }
    return before - this.#total.frames;
  }
}

function endOf(batch: FrameBatch): number {
  const last = batch.count - 1;
  return last < 0 ? 0 : (batch.starts[last] as number) + (batch.lengths[last] as number);
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw new RangeError(`${name} is ${value}, not a positive number`);
  return value;
}
