import { describeError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { LiveOptions } from './live-options.ts';

/** A step of closing or reloading, which may fail. */
export type Step = () => Promise<void> | void;

/** The steps that close a running switch, in reverse order of opening, and those that read its files again. */
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
   * Runs all steps of a reload. Failures are logged.
   * @param last run after the registered ones, with the same handling of errors
   * @returns the reasons of the failures
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
