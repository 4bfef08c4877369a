import { describeError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { LiveOptions } from './live-options.ts';

/** Something to run, which may fail. */
export type Step = () => Promise<void> | void;

/** What a running switch has opened and closes in reverse order, and what it reads again on demand. */
export class Lifetime {
  readonly #logger: Logger;
  readonly #disposals: Step[] = [];
  readonly #reloads: Step[] = [];
  readonly live: LiveOptions = new LiveOptions();
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param close runs once, before what was opened earlier is closed */
  onClose(close: Step): void {
    this.#disposals.push(close);
  }

  /** @param reload runs for each reload, in the order of registration; if it throws, the former contents stay in force */
  onReload(reload: Step): void {
    this.#reloads.push(reload);
  }

  /**
   * Reads everything again. What cannot be used is logged.
   * @param last run behind what is registered, with the same handling of errors
   * @returns why what could not be read again failed
   */
  async reload(last: readonly Step[] = []): Promise<readonly string[]> {
    const failures: string[] = [];
    for (const reload of [...this.#reloads, ...last]) {
      try {
        await reload();
      } catch (error) {
        const reason = describeError(error);
        failures.push(reason);
        this.#logger.error({ reason }, 'Cannot reload; what was read before stays in force');
      }
    }
    return failures;
  }

  /** Idempotent. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#dispose();
    return this.#closing;
  }

  async #dispose(): Promise<void> {
    for (const dispose of this.#disposals.reverse()) {
      try {
        await dispose();
      } catch (error) {
        this.#logger.error({ error }, 'closing failed');
      }
    }
  }
}
