import type { BridgePort } from '../bridge-port.ts';

/**
 * Ports with a time until which they belong to a set, such as the ports of multicast routers (RFC 4541, 2.1.1, rule 1).
 * `onChange` is called when the set has more or other ports than before.
 */
export class TimedPorts {
  readonly #until = new Map<BridgePort, number>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#until.size;
  }

  /** Adds a port, or gives it another time. @param nowMs infinite: not known */
  set(port: BridgePort, untilMs: number, nowMs: number): void {
    const known = this.#until.get(port);
    this.#until.set(port, untilMs);
    // A list of ports that is in use is made anew when the former time is over. So it changes only if that time is over already, or
    // if it was the longer one.
    if (known === undefined || known <= nowMs || untilMs < known) this.#onChange();
  }

  remove(port: BridgePort): void {
    if (this.#until.delete(port)) this.#onChange();
  }

  /** Removes those whose time is over. */
  expire(nowMs: number): void {
    for (const [port, untilMs] of this.#until) if (untilMs <= nowMs) this.remove(port);
  }

  /** Puts the ports into `set`. @returns when the first of them leaves */
  collect(set: Set<BridgePort>, nowMs: number): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const [port, untilMs] of this.#until) {
      if (untilMs <= nowMs) continue;
      set.add(port);
      firstMs = Math.min(firstMs, untilMs);
    }
    return firstMs;
  }

  entries(): IterableIterator<[BridgePort, number]> {
    return this.#until.entries();
  }
}

/** A list of ports that is made when it is needed, and then used until `untilMs`, or until another `version`. */
export interface PortList {
  targets: readonly BridgePort[];
  targetsUntilMs: number;
  targetsVersion: number;
}
