interface QueuedEvent {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Actions by time, and at the same time by the order in which they were added: a binary heap. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #added = 0;

  add(atMs: number, action: () => void): void {
    const heap = this.#heap;
    const event = { atMs, order: this.#added++, action };
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as QueuedEvent)) break;
      heap[at] = heap[parent] as QueuedEvent;
      at = parent;
    }
    heap[at] = event;
  }

  /** Takes the first event that is due until then; undefined without one. */
  takeUntil(endMs: number): QueuedEvent | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.atMs > endMs) return undefined;
    const last = this.#heap.pop() as QueuedEvent;
    if (last !== first) this.#sink(last);
    return first;
  }

  #sink(event: QueuedEvent): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as QueuedEvent)) child++;
      if (!isBefore(heap[child] as QueuedEvent, event)) break;
      heap[at] = heap[child] as QueuedEvent;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(one: QueuedEvent, other: QueuedEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
