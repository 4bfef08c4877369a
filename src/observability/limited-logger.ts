import type { Logger } from './logger.ts';

export interface RecordLimit {
  /** the most records at once; default 50 */
  readonly burst?: number;
  /** the sustained rate; default 10 */
  readonly perSecond?: number;
  /** for tests */
  readonly now?: () => number;
}

/** `limitLevel` for `info`. */
export function limitInfo(logger: Logger, limit: RecordLimit = {}): Logger {
  return limitLevel(logger, 'info', limit);
}

/**
 * The same logger with a rate limit at one level, for records that peers can cause: a
 * flood of refusals must not become a flood of writes. The first record after a gap has
 * the number of suppressed ones in `notLogged`.
 */
export function limitLevel(logger: Logger, level: 'info' | 'warn', limit: RecordLimit = {}): Logger {
  return new LimitedLogger(logger, level, limit);
}

/** A class, since each of a thousand networks has one. */
class LimitedLogger implements Logger {
  readonly #logger: Logger;
  readonly #level: 'info' | 'warn';
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens: number;
  #lastMs: number;
  #missing = 0;

  constructor(logger: Logger, level: 'info' | 'warn', { burst = 50, perSecond = 10, now = monotonicMs }: RecordLimit) {
    this.#logger = logger;
    this.#level = level;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = burst;
    this.#lastMs = now();
  }

  debug(fields: object, message: string): void {
    this.#logger.debug(fields, message);
  }

  info(fields: object, message: string): void {
    if (this.#level === 'info') this.#limited(fields, message);
    else this.#logger.info(fields, message);
  }

  warn(fields: object, message: string): void {
    if (this.#level === 'warn') this.#limited(fields, message);
    else this.#logger.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.#logger.error(fields, message);
  }

  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean {
    return this.#logger.isLevelEnabled(level);
  }

  #limited(fields: object, message: string): void {
    const nowMs = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#lastMs) * this.#perSecond) / 1000);
    this.#lastMs = nowMs;
    if (this.#tokens < 1) {
      this.#missing++;
      return;
    }
    this.#tokens--;
    this.#logger[this.#level](this.#missing === 0 ? fields : { ...fields, notLogged: this.#missing }, message);
    this.#missing = 0;
  }
}

function monotonicMs(): number {
  return performance.now();
}
