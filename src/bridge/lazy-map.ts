/**
 * A map that takes next to no memory before its first entry: an empty `Map` takes about 190 octets, and each of a thousand
 * bridges has a dozen for functions that few of them use.
 */
export class LazyMap<Key, Value> {
  #map: Map<Key, Value> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key);
  }

  has(key: Key): boolean {
    return this.#map?.has(key) ?? false;
  }

  set(key: Key, value: Value): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  /** @returns whether it was there. The memory is given back with the last entry. */
  delete(key: Key): boolean {
    const isDeleted = this.#map?.delete(key) ?? false;
    if (this.size === 0) this.#map = undefined;
    return isDeleted;
  }

  clear(): void {
    this.#map = undefined;
  }

  keys(): Iterable<Key> {
    return this.#map?.keys() ?? [];
  }

  values(): Iterable<Value> {
    return this.#map?.values() ?? [];
  }

  [Symbol.iterator](): Iterator<[Key, Value]> {
    return (this.#map ?? ([] as [Key, Value][]))[Symbol.iterator]();
  }
}
