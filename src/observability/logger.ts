import { isatty } from 'node:tty';
import pino from 'pino';
import { describeError } from '../errors.ts';
import { LogRooms, type RoomedLogger } from './log-rooms.ts';
import { LogSink } from './log-sink.ts';

/** The subset of pino's logger that is used. Data goes into `fields`, a sentence into `message`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

export type LogFormat = 'text' | 'json';

/** pino's number of the level warn. */
const LEVEL_WARN = 40;

/**
 * A logger that writes to standard error, one record a line, as readable text or as
 * JSON. If standard error cannot be written, lines are lost and counted (log-sink.ts).
 */
export async function createLogger(options: { isDebug: boolean; format?: LogFormat }): Promise<RoomedLogger> {
  const format = options.format === 'json' ? jsonFormat : await textFormat();
  const sink = new LogSink((lostLines) => {
    const msg = `${lostLines} ${lostLines === 1 ? 'line' : 'lines'} of the log could not be written`;
    return format(`${JSON.stringify({ level: LEVEL_WARN, time: Date.now(), lostLines, msg })}\n`);
  });
  const level = options.isDebug ? 'debug' : 'info';
  // Under the key `err` pino writes an error with its stack, for programming errors in etherws.
  const serializers = { error: describeError };
  const root = pino({ level, base: null, serializers }, { write: (record) => sink.write(format(record)) });
  const rooms = new LogRooms((room) => asLogger(root.child({ room })));
  return Object.assign(rooms.logger('daemon'), { rooms });
}

function jsonFormat(record: string): string {
  return record;
}

async function textFormat(): Promise<(record: string) => string> {
  // Loaded when needed: JSON does not use it.
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({
    colorize: isatty(2),
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: ['err'],
  });
}

/** Narrows pino's type, which has an index signature: TypeScript would take it for a thenable. */
function asLogger(logger: Logger & { level: string }): Logger & { level: string } {
  return logger;
}

/** A logger that drops all records: the default of the library. */
export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  isLevelEnabled: () => false,
};
