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
export function limitLevel(
  logger: Logger,
  level: 'info' | 'warn',
  { burst = 50, perSecond = 10, now = monotonicMs }: RecordLimit = {},
): Logger {
  let tokens = burst;
  let lastMs = now();
  let missing = 0;
  return {
    debug: (fields, message) => logger.debug(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    isLevelEnabled: (level) => logger.isLevelEnabled(level),
    info: (fields, message) => logger.info(fields, message),
    [level]: (fields: object, message: string) => {
      const nowMs = now();
      tokens = Math.min(burst, tokens + ((nowMs - lastMs) * perSecond) / 1000);
      lastMs = nowMs;
      if (tokens < 1) {
        missing++;
        return;
      }
      tokens--;
      logger[level](missing === 0 ? fields : { ...fields, notLogged: missing }, message);
      missing = 0;
    },
  };
}

function monotonicMs(): number {
  return performance.now();
}
