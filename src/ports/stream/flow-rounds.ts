import { RECORD_LEAD_BYTES } from '../../wire/tunnel/tunnel-message.ts';
import type { BlockPool } from './block-pool.ts';
import { CoDel } from './codel.ts';
import { FrameFifo, type Occupancy } from './frame-fifo.ts';

/**
 * What a flow may send in its turn is the longest frame of late: RFC 8290, 5.2.4
 * says one MTU, and with less a flow is passed over many times for one frame.
 * With more, flows wait for each other without need: on a slow link a turn of
 * 16 KiB alone is far above CoDel's target.
 */
const MIN_QUANTUM_BYTES = 1514 + RECORD_LEAD_BYTES;

/** How many flows may be looked at for each frame that a full queue drops: 64 frames at a time, as in RFC 8290, of 1024 flows. */
const FLOWS_PER_DROP = 16;

/** What a flow takes besides its frames: objects and their places in maps. */
export const FLOW_OVERHEAD_BYTES = 1024;

/** A flow's frames and its place in one of the two lists. */
export interface Flow {
  readonly queue: number;
  readonly fifo: FrameFifo;
  readonly codel: CoDel;
  /** What it may still send before it is another's turn. */
  deficitBytes: number;
  next: Flow | undefined;
}

/** Where octets count that are held. */
export interface FlowBudget {
  hold(bytes: number): void;
  release(bytes: number): void;
}

/**
 * The order of flows: deficit round robin in two lists (RFC 8290, 4.2). A flow that
 * just began is in the first, ahead of all bulk, until it has spent its quantum
 * or run empty; then it goes to the end of the second, so that no flow comes
 * first again before every other one had its turn.
 */
export class FlowRounds {
  readonly #maxQuantumBytes: number;
  readonly #budget: FlowBudget | undefined;
  #quantumBytes: number;
  readonly #flows = new Map<number, Flow>();
  readonly #newFlows = new FlowList();
  readonly #oldFlows = new FlowList();

  /** @param budget flows count there while they are known */
  constructor(maxQuantumBytes: number, budget?: FlowBudget) {
    this.#budget = budget;
    this.#maxQuantumBytes = maxQuantumBytes;
    this.#quantumBytes = Math.min(MIN_QUANTUM_BYTES, maxQuantumBytes);
  }

  /** Makes turns long enough for a record of so many octets, as far as they may be. */
  widen(recordBytes: number): void {
    if (recordBytes > this.#quantumBytes) this.#quantumBytes = Math.min(recordBytes, this.#maxQuantumBytes);
  }

  /** The flow of this queue; a new one, if it has none, which comes next but for other new ones. */
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
    this.#newFlows.push(flow);
    return flow;
  }

  /** The flow whose head may leave now; undefined when all are empty. Flows that were empty for a round are forgotten. */
  turn(): Flow | undefined {
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
   * Drops the oldest frame of the flow with most octets: of those that made the
   * queue long, and from the head, so that they learn of it soonest (RFC 8290,
   * 4.1). To find it every flow is looked at; so the more there are, the more
   * frames go at a time, though none of a flow that has not half as much.
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

  /** Octets that the flows take besides their frames. */
  get overheadBytes(): number {
    return this.#flows.size * FLOW_OVERHEAD_BYTES;
  }

  /** Forgets flows without frames, though their turn has not come. */
  prune(): void {
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

  /** Forgets everything; no flow is known any more. */
  clear(): void {
    for (const flow of this.#flows.values()) flow.fifo.clear();
    this.prune();
  }

  #forget(flow: Flow): void {
    this.#flows.delete(flow.queue);
    this.#budget?.release(FLOW_OVERHEAD_BYTES);
  }
}

/** Drops heads while there is more than that. @returns how many of `frames` are left to drop */
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
