import { fullRestMs } from '../ports/mesh/full-rest.ts';

/** The nodes that have refused a mesh tunnel since they have as many of automatic networks as they may: they rest for a while. */
export class FullNodes {
  readonly #until = new Map<string, { readonly end: string; readonly ms: number }>();

  /**
   * @param end what was dialled: its URL and its start
   * @param waitMs what the node asks for
   */
  add(node: string, end: string, waitMs: number, nowMs: number): void {
    this.#until.set(node, { end, ms: nowMs + fullRestMs(waitMs) });
  }

  /** Whether the node rests. One that was started again does not. */
  has(node: string, end: string, nowMs: number): boolean {
    const until = this.#until.get(node);
    if (until === undefined) return false;
    if (until.end === end && nowMs < until.ms) return true;
    this.#until.delete(node);
    return false;
  }
}
