const LEAST_MS = 10_000;
const MOST_MS = 30_000;

/** The nodes that have refused a mesh tunnel since they have as many of automatic networks as they may: they rest for a while. */
export class FullNodes {
  readonly #until = new Map<string, { readonly end: string; readonly ms: number }>();

  /**
   * @param end what was dialled: its URL and its start
   * @param waitMs what the node asks for; from 10 s to 30 s of it are kept
   */
  add(node: string, end: string, waitMs: number, nowMs: number): void {
    this.#until.set(node, { end, ms: nowMs + Math.min(MOST_MS, Math.max(LEAST_MS, waitMs)) });
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
