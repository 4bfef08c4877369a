/** A set that takes next to no memory before its first member, as LazyMap does; an empty `Set` takes about 150 octets. */
export class LazySet<Value> {
  #set: Set<Value> | undefined;

  get size(): number {
    return this.#set?.size ?? 0;
  }

  has(value: Value): boolean {
    return this.#set?.has(value) ?? false;
  }

  add(value: Value): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  /** @returns whether it was there. The memory is given back with the last member. */
  delete(value: Value): boolean {
    const isDeleted = this.#set?.delete(value) ?? false;
    if (this.size === 0) this.#set = undefined;
    return isDeleted;
  }

  clear(): void {
    this.#set = undefined;
  }

  [Symbol.iterator](): Iterator<Value> {
    return (this.#set ?? ([] as Value[]))[Symbol.iterator]();
  }
}
