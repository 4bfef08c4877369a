import type { Logger } from './logger.ts';

export interface RecordLimit {
  /** records that may come at once */
  readonly burst?: number;
  /** records a second behind that */
  readonly perSecond?: number;
  /** for tests */
  readonly now?: () => number;
}

/** `limitLevel` for `info`. */
export function limitInfo(logger: Logger, limit: RecordLimit = {}): Logger {
  return limitLevel(logger, 'info', limit);
}

/**
 * The same logger, but with a bound on what is said at one level, where peers
 * decide how often something is said: a flood of refusals must not keep the
 * process writing. The first record behind a gap says how many are missing.
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
