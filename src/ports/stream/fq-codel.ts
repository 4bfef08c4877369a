import type { DiscardReason } from '../../bridge/port.ts';
import { destinationOf } from '../../wire/ethernet/ethernet-frame.ts';
import { flowHashOf } from '../../wire/ethernet/flow-hash.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import type { MacAddress } from '../../wire/ethernet/mac-address.ts';
import { RECORD_LEAD_BYTES } from '../../wire/tunnel/tunnel-message.ts';
import type { BlockPool } from './block-pool.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { FlowRounds } from './flow-rounds.ts';
import { Occupancy } from './frame-fifo.ts';

/** The number of queues that flows are hashed to (RFC 8290, 5.2.5). */
const QUEUES = 1024;
/** The queue of urgent frames. */
const URGENT = QUEUES;

/**
 * The largest quantum. It is less than a super-frame of 64 KiB, although RFC
 * 8290 says one MTU, so a flow of super-frames is passed over up to four times
 * for each frame. In return one turn takes 1.3 ms at 100 Mbit/s, not 5 ms. A
 * sparse flow whose frames fit in one quantum is served before all bulk flows.
 */
const MAX_QUANTUM_BYTES = 16 * 1024;

/** The blocks of waiting frames, with their unused parts, hold at most this many times `queueBytes`. */
const HELD_FACTOR = 4;
/** Lower bound of that limit: with a small `queueBytes` one block may be longer than the queue. */
const MIN_HELD_BYTES = 256 * 1024;

/** A random number of each process: a peer that does not know it cannot choose flows that share a queue. */
const SEED: number = Math.floor(Math.random() * 0x1_0000_0000);

export interface FairQueueOptions {
  /** The bound in octets of records (frame and RECORD_LEAD_BYTES). Beyond it the longest flow loses its oldest frames. */
  readonly queueBytes: number;
  readonly blocks: BlockPool;
  /** While it is full no frame is queued; default: no budget. */
  readonly budget?: Pick<BufferBudget, 'isFull' | 'hold' | 'release'>;
  /** CoDel's target: the acceptable standing wait; default 5 ms (RFC 8289, 4.4). */
  readonly targetMs?: number;
  /** CoDel's interval: a round trip of the flows, not of the tunnel; default 100 ms (RFC 8289, 4.3). */
  readonly intervalMs?: number;
  /** The largest quantum of a flow; default 16 KiB. */
  readonly maxQuantumBytes?: number;
  /** Called at the end of `enqueue` and `dequeue`, at most once for each reason. */
  readonly dropped: (reason: FairQueueDiscard, frames: number) => void;
  /** Frames to this address leave before all others, in their order, and are not dropped for their wait. */
  readonly urgent?: MacAddress | undefined;
  /** Seed of the flow hash; default: a random one of the process. */
  readonly seed?: number;
}

export type FairQueueDiscard = Extract<DiscardReason, 'queueDelay' | 'queueFull'>;

/**
 * The egress queue of one tunnel: FQ-CoDel (RFC 8290). Flows are served in turn,
 * new flows first, and CoDel prevents a standing queue in each flow.
 *
 *   1. `enqueue`  copies the frame to its flow's queue; a flow without frames is new
 *   2. beyond the bound: the flow with the most octets loses its oldest frames
 *   3. `dequeue`  serves the first new flow, else the first old flow with a positive deficit
 *   4. CoDel drops its head when the flow has a standing queue; else the head leaves
 *
 * Time is an argument, in milliseconds of any monotonic clock. Only CoDel bounds
 * the waiting time; frames have no maximum age. After a stall of the tunnel the
 * waiting frames leave at once and delay no flow. A link so slow that
 * `queueBytes` is a long time needs few drops per second, which CoDel reaches
 * within seconds. On a fast link a flow that does not slow down after losses
 * waits for as long as `queueBytes` allows; it delays only itself.
 *
 * When the last frame has left, all memory but this object is freed. CoDel's
 * state goes too: a queue that became empty was not a standing queue.
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
  readonly #urgent: MacAddress | undefined;
  /** Undefined when no frame waits. */
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
    this.#urgent = options.urgent;
    this.#seed = options.seed ?? SEED;
  }

  /** Octets of the waiting records, RECORD_LEAD_BYTES included; at most `queueBytes`. */
  get bytes(): number {
    return this.#total.bytes;
  }

  get frames(): number {
    return this.#total.frames;
  }

  /**
   * How long the oldest waiting frame has been queued (its sojourn time so far; RFC 8289, 3.2), in milliseconds; 0 when no
   * frame waits. It reads the heads of all flows, and costs frames nothing. Right for up to 35 minutes.
   */
  oldestWaitedMs(nowMs: number): number {
    return this.#rounds?.oldestWaitedMs(nowMs) ?? 0;
  }

  /** Octets of the blocks of the waiting records; 0 when no frame waits. */
  get heldBytes(): number {
    return this.#total.heldBytes;
  }

  /** `heldBytes` and the memory of the flows beyond their frames. */
  get memoryBytes(): number {
    return this.#total.heldBytes + (this.#rounds?.overheadBytes ?? 0);
  }

  /** Copies frame `index` with its offload header. When the queue is full, the longest flow loses its oldest frames. */
  enqueue(batch: FrameBatch, index: number, nowMs: number): void {
    const length = batch.lengths[index] as number;
    if (RECORD_LEAD_BYTES + length > this.#queueBytes || this.#budget?.isFull === true) {
      this.#dropped('queueFull', 1);
      return;
    }
    const start = batch.starts[index] as number;
    const isUrgent = this.#urgent !== undefined && destinationOf(batch.bytes, start) === this.#urgent;
    const queue = isUrgent ? URGENT : flowHashOf(batch.bytes, start, length, this.#seed) % QUEUES;
    this.#rounds ??= new FlowRounds(this.#maxQuantumBytes, this.#budget, URGENT);
    this.#rounds.widen(RECORD_LEAD_BYTES + length);
    this.#rounds.flowOf(queue, this.#perFlow).fifo.push(batch, index, nowMs);
    const drops = this.#dropExcess(this.#rounds);
    if (drops > 0) this.#dropped('queueFull', drops);
  }

  /**
   * Appends the next frames to `into`, which belongs to the caller, as records
   * of a device slab: four free octets, the offload header, the frame.
   *
   * Adds at most `maxBytes` octets of records, but at least one record; stops
   * when the slab is full.
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
      // RFC 8289, 5.6 does not drop while at most one MTU waits. Here the MTU is the flow's longest frame: a flow of
      // super-frames may keep 64 KiB, a flow of short frames on a slow link may not.
      const isLast = fifo.bytes - bytes <= fifo.longestBytes;
      if (flow.queue !== URGENT && codel.drops(fifo.headWaitedMs(nowMs), isLast, nowMs)) {
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

  /** Drops frames of the longest flows until `bytes` octets are freed, or no frame waits. @returns the octets freed */
  shed(bytes: number): number {
    const rounds = this.#rounds;
    if (rounds === undefined) return 0;
    const { memoryBytes } = this;
    const { frames } = this.#total;
    // Empty flows are removed only from time to time, because that visits all flows.
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

  /** Removes all waiting frames without calling `dropped`. @returns their number */
  clear(): number {
    const { frames } = this.#total;
    this.#end();
    return frames;
  }

  /** Enforces the bounds. @returns the number of frames dropped */
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
