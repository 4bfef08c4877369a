import type { Logger } from '../observability/logger.ts';

/** It is said once within this time: a node that is refused dials again. */
const SAID_AGAIN_MS = 60_000;

/** Counts the mesh tunnels of automatic networks that this node refuses at its bound, and says so once a minute. */
export class MeshRefusals {
  readonly #logger: Logger;
  #count = 0;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** How many there were. A tunnel counts again each time that it is dialled. */
  get count(): number {
    return this.#count;
  }

  /** @param most the bound. @param nowMs of any monotonic clock */
  note(node: string, network: string, most: number, nowMs: number): void {
    this.#count++;
    if (nowMs - this.#saidMs < SAID_AGAIN_MS) return;
    this.#saidMs = nowMs;
    this.#logger.warn(
      { node, network, most, refused: this.#count },
      'mesh tunnels of automatic networks are refused: their members here and there do not hear each other',
    );
  }
}
