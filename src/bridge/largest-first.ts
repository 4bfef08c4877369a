/** An item of a `LargestFirst`: a size that changes by one, and its position in the heap. */
export interface Sized {
  size: number;
  /** Written by `LargestFirst` only. */
  place: number;
}

/**
 * A binary heap with the largest item on top, for items whose size changes by one
 * at a time: O(log n) a change, O(1) for the largest.
 */
export class LargestFirst<T extends Sized> {
  readonly #items: T[] = [];

  get largest(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  remove(item: T): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#put(last, item.place);
    this.#rise(last);
    this.#sink(last);
  }

  grow(item: T): void {
    item.size++;
    this.#rise(item);
  }

  shrink(item: T): void {
    item.size--;
    this.#sink(item);
  }

  #rise(item: T): void {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1] as T;
      if (parent.size >= item.size) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.place + 1];
      const right = this.#items[2 * item.place + 2];
      const child = right !== undefined && left !== undefined && right.size > left.size ? right : left;
      if (child === undefined || child.size <= item.size) return;
      this.#swap(item, child);
    }
  }

  #swap(one: T, other: T): void {
    const { place } = one;
    this.#put(one, other.place);
    this.#put(other, place);
  }

  #put(item: T, place: number): void {
    item.place = place;
    this.#items[place] = item;
  }
}
