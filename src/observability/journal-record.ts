import { journalFieldName } from './journal-datagram.ts';

/** A record as pino writes it, without its line end. */
export type LogRecord = Readonly<Record<string, unknown>> & {
  readonly level: number;
  readonly msg: string;
  /** a programming error in etherws, with its stack trace */
  readonly err?: unknown;
};

/** Priorities of syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG. */
const LOG_ERR = 3;
const LOG_WARNING = 4;
const LOG_INFO = 6;
const LOG_DEBUG = 7;
/** pino's numbers of the levels. */
const [INFO, WARN, ERROR] = [30, 40, 50];

/** What journald records itself (the time), or has a field of its own for (the level). */
const NOT_FIELDS: ReadonlySet<string> = new Set(['level', 'time']);
/** What the text of an entry leaves out as well: the sentence begins it, a stack ends it. */
const NOT_IN_TEXT: ReadonlySet<string> = new Set([...NOT_FIELDS, 'msg', 'err']);

/** The syslog priority of one of pino's levels. */
export function priorityOf(level: number): number {
  if (level >= ERROR) return LOG_ERR;
  if (level >= WARN) return LOG_WARNING;
  return level >= INFO ? LOG_INFO : LOG_DEBUG;
}

/**
 * The text of a record for people, without time and level: its sentence and its fields, as in the format text; then the
 * stack trace of a programming error, which has several lines.
 */
export function textOf(record: LogRecord): string {
  const fields = Object.fromEntries(Object.entries(record).filter(([key]) => !NOT_IN_TEXT.has(key)));
  const line = Object.keys(fields).length === 0 ? record.msg : `${record.msg} ${JSON.stringify(fields)}`;
  const { stack } = (record.err ?? {}) as { stack?: unknown };
  return typeof stack === 'string' ? `${line}\n${stack}` : line;
}

/**
 * The fields of a record's entry in the journal: MESSAGE, which has the fields as well, since `journalctl` shows only
 * that one; PRIORITY; SYSLOG_IDENTIFIER; and one field for each field of the log. ETHERWS_MSG is the sentence alone.
 */
export function journalFields(record: LogRecord): (readonly [name: string, value: string])[] {
  const own = Object.entries(record).filter(([key, value]) => !NOT_FIELDS.has(key) && value !== null);
  return [
    ['MESSAGE', textOf(record)],
    ['PRIORITY', String(priorityOf(record.level))],
    ['SYSLOG_IDENTIFIER', 'etherws'],
    ...own.map(([key, value]) => [journalFieldName(key), textOfValue(value)] as const),
  ];
}

function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  const { stack } = value as { stack?: unknown };
  return typeof stack === 'string' ? stack : JSON.stringify(value);
}
