/**
 * Lets work through one piece a turn of the event loop, in its order. What
 * strangers can cause by the hundred at once then never stands between two
 * frames as a whole.
 *
 * It has no bound: what waits here belongs to connections, and they have one.
 */
export class Turnstile {
  /** a set keeps the order, and gives its first away without moving the others */
  readonly #waiting = new Set<() => void>();
  readonly #before: () => void;

  /** @param before runs before each piece of work */
  constructor(before: () => void = () => undefined) {
    this.#before = before;
  }

  /** @param work must not throw; it runs in one of the next turns, never at once */
  enter(work: () => void): void {
    this.#waiting.add(work);
    if (this.#waiting.size === 1) setImmediate(() => this.#turn());
  }

  #turn(): void {
    for (const work of this.#waiting) {
      this.#waiting.delete(work);
      if (this.#waiting.size > 0) setImmediate(() => this.#turn());
      this.#before();
      work();
      return;
    }
  }
}
