import { RECORD_LEAD_BYTES } from '../../wire/tunnel/tunnel-message.ts';
import type { BlockPool } from './block-pool.ts';
import { CoDel } from './codel.ts';
import { FrameFifo, type Occupancy } from './frame-fifo.ts';

/**
 * The smallest quantum. A flow's quantum is the longest recent record: RFC 8290,
 * 5.2.4 says one MTU. With less, a flow is passed over many times for one frame;
 * with more, flows delay each other needlessly: on a slow link one turn of
 * 16 KiB takes far longer than CoDel's target.
 */
const MIN_QUANTUM_BYTES = 1514 + RECORD_LEAD_BYTES;

/** Flows searched for each frame that a full queue drops: with 1024 flows 64 frames are dropped at a time, as in RFC 8290. */
const FLOWS_PER_DROP = 16;

/** Memory of a flow beyond its frames: objects and map entries. */
export const FLOW_OVERHEAD_BYTES = 1024;

/** A flow: its frames and its state in the scheduler. */
export interface Flow {
  readonly queue: number;
  readonly fifo: FrameFifo;
  readonly codel: CoDel;
  /** Octets that the flow may still send in this turn. */
  deficitBytes: number;
  next: Flow | undefined;
}

/** The budget that counts held octets. */
export interface FlowBudget {
  hold(bytes: number): void;
  release(bytes: number): void;
}

/**
 * The flow scheduler: deficit round robin with two lists (RFC 8290, 4.2). A new
 * flow is in the first list, which is served first, until it has spent its
 * quantum or is empty; then it goes to the end of the second list, so that it
 * cannot be new again before every other flow had its turn.
 */
export class FlowRounds {
  readonly #maxQuantumBytes: number;
  readonly #budget: FlowBudget | undefined;
  #quantumBytes: number;
  readonly #flows = new Map<number, Flow>();
  readonly #newFlows = new FlowList();
  readonly #oldFlows = new FlowList();
  readonly #urgentQueue: number;
  /** The flow that is served first, without a quantum; it is in neither list. */
  #urgent: Flow | undefined;

  /**
   * @param budget counts the memory of flows while they exist
   * @param urgentQueue the queue of the flow that is served before all others
   */
  constructor(maxQuantumBytes: number, budget?: FlowBudget, urgentQueue = -1) {
    this.#urgentQueue = urgentQueue;
    this.#budget = budget;
    this.#maxQuantumBytes = maxQuantumBytes;
    this.#quantumBytes = Math.min(MIN_QUANTUM_BYTES, maxQuantumBytes);
  }

  /** Raises the quantum to `recordBytes`, at most to the maximum. */
  widen(recordBytes: number): void {
    if (recordBytes > this.#quantumBytes) this.#quantumBytes = Math.min(recordBytes, this.#maxQuantumBytes);
  }

  /** The flow of this queue. One that did not exist is made, and put at the end of the list of new flows. */
  flowOf(queue: number, make: { targetMs: number; intervalMs: number; blocks: BlockPool; total: Occupancy }): Flow {
    const known = this.#flows.get(queue);
    if (known !== undefined) return known;
    const flow: Flow = {
      queue,
      fifo: new FrameFifo(make.blocks, make.total),
      codel: new CoDel(make.targetMs, make.intervalMs),
      deficitBytes: this.#quantumBytes,
      next: undefined,
    };
    this.#flows.set(queue, flow);
    this.#budget?.hold(FLOW_OVERHEAD_BYTES);
    if (queue === this.#urgentQueue) this.#urgent = flow;
    else this.#newFlows.push(flow);
    return flow;
  }

  /** The flow whose head may leave now; undefined when all are empty. Removes flows that were empty for a round. */
  turn(): Flow | undefined {
    if (this.#urgent !== undefined && this.#urgent.fifo.bytes > 0) return this.#urgent;
    for (;;) {
      const isNew = this.#newFlows.head !== undefined;
      const list = isNew ? this.#newFlows : this.#oldFlows;
      const flow = list.head;
      if (flow === undefined) return undefined;
      if (flow.deficitBytes > 0 && flow.fifo.bytes > 0) return flow;
      list.shift();
      if (flow.deficitBytes <= 0) flow.deficitBytes += this.#quantumBytes;
      else if (!isNew) {
        this.#forget(flow);
        continue;
      }
      this.#oldFlows.push(flow);
    }
  }

  /**
   * Drops frames from the head of the flow with the most octets, so that the
   * sender learns of the loss soonest (RFC 8290, 4.1). The search visits every
   * flow; so with more flows more frames are dropped at a time: of the longest
   * flow, then of other flows, each down to half of the longest flow's octets.
   */
  dropFromLongest(): void {
    let longest: Flow | undefined;
    for (const flow of this.#flows.values()) {
      if (longest === undefined || flow.fifo.bytes > longest.fifo.bytes) longest = flow;
    }
    if (longest === undefined) return;
    const half = longest.fifo.bytes / 2;
    let left = Math.ceil(this.#flows.size / FLOWS_PER_DROP);
    left = dropDownTo(half, longest.fifo, left);
    for (const { fifo } of this.#flows.values()) {
      if (left === 0) return;
      left = dropDownTo(half, fifo, left);
    }
  }

  /** How long the oldest frame has waited, in milliseconds; 0 without frames. Visits every flow, at most 1024. */
  oldestWaitedMs(nowMs: number): number {
    let oldestMs = 0;
    for (const { fifo } of this.#flows.values()) oldestMs = Math.max(oldestMs, fifo.headWaitedMs(nowMs));
    return oldestMs;
  }

  /** Octets of memory of the flows beyond their frames. */
  get overheadBytes(): number {
    return this.#flows.size * FLOW_OVERHEAD_BYTES;
  }

  /** Removes flows without frames before their turn. */
  prune(): void {
    if (this.#urgent !== undefined && this.#urgent.fifo.bytes === 0) {
      this.#forget(this.#urgent);
      this.#urgent = undefined;
    }
    for (const list of [this.#newFlows, this.#oldFlows]) {
      const kept: Flow[] = [];
      for (let flow = list.head; flow !== undefined; flow = list.head) {
        list.shift();
        if (flow.fifo.bytes > 0) kept.push(flow);
        else this.#forget(flow);
      }
      for (const flow of kept) list.push(flow);
    }
  }

  /** Removes all flows and their frames. */
  clear(): void {
    for (const flow of this.#flows.values()) flow.fifo.clear();
    this.prune();
  }

  #forget(flow: Flow): void {
    this.#flows.delete(flow.queue);
    this.#budget?.release(FLOW_OVERHEAD_BYTES);
  }
}

/** Drops heads while the flow has more than `bytes` octets. @returns how many of `frames` are left to drop */
function dropDownTo(bytes: number, fifo: FrameFifo, frames: number): number {
  let left = frames;
  for (; left > 0 && fifo.bytes > bytes; left--) fifo.dropHead();
  return left;
}

class FlowList {
  head: Flow | undefined;
  #tail: Flow | undefined;

  push(flow: Flow): void {
    if (this.#tail === undefined) this.head = flow;
    else this.#tail.next = flow;
    this.#tail = flow;
  }

  shift(): void {
    const flow = this.head;
    if (flow === undefined) return;
    this.head = flow.next;
    flow.next = undefined;
    if (this.head === undefined) this.#tail = undefined;
  }
}
