/**
 * A map by number. It is sorted when it is iterated, not at each insertion: after a restart thousands of tunnels return
 * to their former numbers in any order.
 */
export class NumberedMap<Key extends number, Value> {
  readonly #map = new Map<Key, Value>();
  #last = 0;
  #isSorted = true;

  set(key: Key, value: Value): void {
    if (key < this.#last) this.#isSorted = false;
    else this.#last = key;
    this.#map.set(key, value);
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  has(key: Key): boolean {
    return this.#map.has(key);
  }

  delete(key: Key): void {
    this.#map.delete(key);
  }

  /** In any order, without the cost of sorting. */
  values(): IterableIterator<Value> {
    return this.#map.values();
  }

  /** The same map, in ascending order of its keys. */
  get sorted(): ReadonlyMap<Key, Value> {
    if (!this.#isSorted) {
      const entries = [...this.#map].sort(([one], [other]) => one - other);
      this.#map.clear();
      for (const [key, value] of entries) this.#map.set(key, value);
      this.#isSorted = true;
    }
    return this.#map;
  }
}
