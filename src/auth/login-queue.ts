/**
 * A bounded queue in which no owner can take all places. Each entry has an owner.
 * When the queue is full, an entry of an owner with fewer entries than the owner
 * with most displaces the youngest entry of the latter. Entries of different
 * owners leave by turns.
 */
export class LoginQueue<T> {
  readonly #capacity: number;
  /** by owner; the owner whose turn it is stands first */
  readonly #queues = new Map<string, T[]>();
  #length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** @returns undefined when there was room; else what has no place: the entry itself, or another one */
  push(owner: string, entry: T): T | undefined {
    let displaced: T | undefined;
    if (this.#length >= this.#capacity) {
      const [largestOwner, largest] = this.#largest();
      const own = this.#queues.get(owner)?.length ?? 0;
      if (largest === undefined || largest.length <= own + 1) return entry;
      displaced = largest.pop();
      this.#length--;
      if (largest.length === 0) this.#queues.delete(largestOwner);
    }
    const queue = this.#queues.get(owner);
    if (queue === undefined) this.#queues.set(owner, [entry]);
    else queue.push(entry);
    this.#length++;
    return displaced;
  }

  /** The next entry; undefined when there is none. */
  shift(): T | undefined {
    for (const [owner, queue] of this.#queues) {
      const entry = queue.shift();
      this.#queues.delete(owner);
      if (queue.length > 0) this.#queues.set(owner, queue);
      this.#length--;
      return entry;
    }
    return undefined;
  }

  /** Takes everything out. */
  drain(): T[] {
    const all = [...this.#queues.values()].flat();
    this.#queues.clear();
    this.#length = 0;
    return all;
  }

  #largest(): [string, T[] | undefined] {
    let found: [string, T[] | undefined] = ['', undefined];
    for (const [owner, queue] of this.#queues) {
      if (queue.length > (found[1]?.length ?? 0)) found = [owner, queue];
    }
    return found;
  }
}
