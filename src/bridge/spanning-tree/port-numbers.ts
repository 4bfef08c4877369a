const MAX_PORT_NUMBER = 4095;

/** The port numbers of a bridge in its port identifiers, which have 12 bits for them (IEEE 802.1D-2004, 9.2.7). */
export interface PortNumbers {
  /**
   * @param preferred is taken if it is free
   * @param present the number that the port has already; it keeps it while it may
   * @returns undefined if none is free
   */
  take(preferred: number, present?: number): number | undefined;
  free(number: number): void;
}

/** All numbers, for a bridge that has them for itself. */
export class AllPortNumbers implements PortNumbers {
  readonly #used = new Set<number>();

  take(preferred: number, present?: number): number | undefined {
    if (present !== undefined) return present;
    const number = this.#freeNumber(preferred);
    if (number !== undefined) this.#used.add(number);
    return number;
  }

  free(number: number): void {
    this.#used.delete(number);
  }

  #freeNumber(preferred: number): number | undefined {
    if (preferred <= MAX_PORT_NUMBER && !this.#used.has(preferred)) return preferred;
    for (let free = 1; free <= MAX_PORT_NUMBER; free++) if (!this.#used.has(free)) return free;
    return undefined;
  }
}
