import { describeError } from '../../errors.ts';
import type { Logger } from '../../observability/logger.ts';

/** A worker that has just come is not announced yet: only so many failures one after the other are told. */
const TOLD_AT = 3;

/** Says once in the log that something of a worker cannot be had, until it can be had again. */
export class SilentWorkers {
  readonly #logger: Logger;
  readonly #what: string;
  readonly #failures = new Map<number, number>();

  /** @param what cannot be had, as in `the events` */
  constructor(logger: Logger, what: string) {
    [this.#logger, this.#what] = [logger, what];
  }

  failed(worker: number, error: unknown): void {
    const failures = (this.#failures.get(worker) ?? 0) + 1;
    this.#failures.set(worker, failures);
    if (failures !== TOLD_AT) return;
    this.#logger.warn({ worker, reason: describeError(error) }, `${this.#what} of a worker cannot be had; trying on`);
  }

  had(worker: number): void {
    this.#failures.delete(worker);
  }
}
