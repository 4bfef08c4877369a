/**
 * A bounded queue that is fair between owners; each entry has one. Entries of
 * different owners leave in round-robin order. In a full queue, an entry of an owner with
 * fewer entries than the largest owner displaces the newest entry of the latter.
 */
export class LoginQueue<T> {
  readonly #capacity: number;
  /** by owner; the first owner is the next in turn */
  readonly #queues = new Map<string, T[]>();
  #length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** @returns undefined if there was room; else the entry that was refused: this one, or a displaced one */
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

  /** Removes the next entry. */
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

  /** Removes all entries. */
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
