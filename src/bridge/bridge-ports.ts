import type { BridgePort, PortNumber } from './bridge-port.ts';
import { NumberedMap } from './numbered-map.ts';

/** The ports of a bridge by their numbers, and its internal port, which has the number 0 and is in no list. */
export class BridgePorts {
  /** The port of the switch itself; undefined while it has nothing to say. */
  internal: BridgePort | undefined;
  readonly #numbered = new NumberedMap<PortNumber, BridgePort>();
  #lastNumber = 0;

  /** The highest number that a port has had, or that is reserved. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Gives further ports higher numbers than this. */
  reserveNumbers(upTo: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, upTo);
  }

  add(port: BridgePort): void {
    this.reserveNumbers(port.number);
    this.#numbered.set(port.number, port);
  }

  remove(port: BridgePort): void {
    if (this.has(port)) this.#numbered.delete(port.number);
  }

  /**
   * Whether this port is attached: a port that was removed may still send and receive for a moment, and its number may be that of
   * another one by then.
   */
  has(port: BridgePort): boolean {
    return this.#numbered.get(port.number) === port;
  }

  hasNumber(number: number): boolean {
    return this.#numbered.has(number as PortNumber);
  }

  /** In ascending order of their numbers. */
  get sorted(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#numbered.sorted;
  }

  /** In any order, without the cost of sorting them. */
  values(): IterableIterator<BridgePort> {
    return this.#numbered.values();
  }

  /** The ports that forward now, the internal one last. */
  forwarding(): BridgePort[] {
    const internal = this.internal === undefined ? [] : [this.internal];
    return [...this.#numbered.values(), ...internal].filter((port) => port.isForwarding);
  }
}
