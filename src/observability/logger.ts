import pino from 'pino';

/** What the rooms need of a logger; pino has it. Facts go into `fields`, the sentence into `message`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

export type LogFormat = 'text' | 'json';

/**
 * A logger that writes to standard error: a line a record for people, or one
 * JSON object a line. `text` is written at once, so that a crash loses nothing.
 */
export async function createLogger(options: { isDebug: boolean; format?: LogFormat }): Promise<Logger> {
  const level = options.isDebug ? 'debug' : 'info';
  const base = { level, base: null };
  if (options.format === 'json') return asLogger(pino(base, pino.destination({ fd: 2, sync: true })));
  // Loaded on use: JSON lines need none of it.
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({
    colorize: process.stderr.isTTY === true,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    destination: 2,
    sync: true,
  });
  return asLogger(pino(base, stream));
}

/** pino's own type has an index signature that a promise must not resolve to. */
function asLogger(logger: Logger): Logger {
  return logger;
}

/** Swallows everything: the default of the library. */
export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  isLevelEnabled: () => false,
};
