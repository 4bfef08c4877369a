import { isatty } from 'node:tty';
import pino from 'pino';
import { LogSink } from './log-sink.ts';

/** What the rooms need of a logger; pino has it. Facts go into `fields`, the sentence into `message`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

export type LogFormat = 'text' | 'json';

/** A warning, in pino's numbers. */
const LEVEL_WARN = 40;

/**
 * A logger that writes to standard error: a line a record for people, or one
 * JSON object a line. A sink without room costs lines, which are counted, and
 * never the process (log-sink.ts).
 */
export async function createLogger(options: { isDebug: boolean; format?: LogFormat }): Promise<Logger> {
  const format = options.format === 'json' ? asIs : await textFormat();
  const sink = new LogSink((lostLines) => {
    const msg = `${lostLines} ${lostLines === 1 ? 'line' : 'lines'} of the log could not be written`;
    return format(`${JSON.stringify({ level: LEVEL_WARN, time: Date.now(), lostLines, msg })}\n`);
  });
  const level = options.isDebug ? 'debug' : 'info';
  return asLogger(pino({ level, base: null }, { write: (record) => sink.write(format(record)) }));
}

function asIs(record: string): string {
  return record;
}

async function textFormat(): Promise<(record: string) => string> {
  // Loaded on use: JSON lines need none of it.
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({ colorize: isatty(2), translateTime: 'SYS:HH:MM:ss.l', singleLine: true });
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
