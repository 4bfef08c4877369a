import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import type * as pinoLibrary from 'pino';
import { describeError } from '../errors.ts';
import type { LogRecord } from './journal-record.ts';
import { JournalSink, type SendDatagram } from './journal-sink.ts';
import { LogRooms, type RoomedLogger } from './log-rooms.ts';
import { LogSink } from './log-sink.ts';
import { type LogTarget, logTarget } from './log-target.ts';

/** By `require`, as commander: to `import` a CommonJS package, Node loads a lexer. */
const { pino } = createRequire(import.meta.url)('pino') as typeof pinoLibrary;

/** The subset of pino's logger that is used. Data goes into `fields`, a sentence into `message`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

/** auto: text on a terminal, journald where standard error leads to the journal, else JSON. */
export type LogFormat = 'auto' | 'text' | 'json' | 'journald';

export interface LoggerOptions {
  readonly isDebug: boolean;
  readonly format: LogFormat;
  /** @throws Error with the code ADDON_MISSING where datagrams cannot be sent at all */
  readonly sendDatagram: SendDatagram;
}

/** pino's number of the level warn. */
const LEVEL_WARN = 40;

/** Makes a line, or lines, of a record in JSON; both with line ends. */
type Format = (record: string) => string;

/**
 * A logger that writes to standard error, one record a line, as readable text or as JSON; or to journald, one record an
 * entry. If standard error cannot be written, lines are lost and counted (log-sink.ts).
 */
export async function createLogger({ isDebug, format, sendDatagram }: LoggerOptions): Promise<RoomedLogger> {
  const isText = format === 'text' || (format === 'auto' && logTarget() === 'terminal');
  const text = isText ? await textFormat() : jsonFormat;
  const kind = format === 'auto' ? (): LogFormat => FORMAT_OF[logTarget()] : (): LogFormat => format;
  const formatted: Format = (record) => (kind() === 'text' ? text(record) : record);
  const sink = new LogSink((lostLines) => {
    const msg = `${lostLines} ${lostLines === 1 ? 'line' : 'lines'} of the log could not be written`;
    return formatted(`${JSON.stringify({ level: LEVEL_WARN, time: Date.now(), lostLines, msg })}\n`);
  });
  const journal = new JournalSink(sendDatagram, (lines) => sink.write(lines));
  const write = (record: string): void => {
    if (kind() === 'journald') journal.write(JSON.parse(record) as LogRecord);
    else sink.write(formatted(record));
  };
  // Under the key `err` pino writes an error with its stack, for programming errors in etherws.
  const serializers = { error: describeError };
  const root = pino({ level: isDebug ? 'debug' : 'info', base: null, serializers }, { write });
  const rooms = new LogRooms((room) => asLogger(root.child({ room })));
  return Object.assign(rooms.logger('daemon'), { rooms });
}

const FORMAT_OF: Readonly<Record<LogTarget, LogFormat>> = { terminal: 'text', journal: 'journald', other: 'json' };

/** The record as it is: also what `auto` writes where no terminal was at the start. */
function jsonFormat(record: string): string {
  return record;
}

async function textFormat(): Promise<Format> {
  // Loaded when needed: the other formats do not use it.
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
