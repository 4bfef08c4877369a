import { isatty } from 'node:tty';
import { encodeJournalEntry } from './journal-datagram.ts';
import { journalFields, type LogRecord, priorityOf, textOf } from './journal-record.ts';

const JOURNAL_SOCKET = '/run/systemd/journal/socket';
const STANDARD_ERROR = 2;
/** pino's number of the level warn. */
const LEVEL_WARN = 40;

/** Sends a datagram to a Unix socket without waiting. @throws Error with the name of the errno as `code` */
export type SendDatagram = (socket: string, octets: Uint8Array) => void;

/**
 * Writes records to journald by its native protocol. A record that journald does not take (it is not there, its queue
 * is full, the entry is too long for a datagram) goes to standard error instead, as text with its priority in front
 * (sd-daemon(3)). The next entry that journald takes is followed by one with the number of those records.
 */
export class JournalSink {
  readonly #send: SendDatagram;
  readonly #standardError: (lines: string) => void;
  #refused = 0;
  #reason = '';
  /** Without the addon no datagram can be sent. */
  #hasDoor = true;

  /** @param standardError writes whole lines, and never waits */
  constructor(send: SendDatagram, standardError: (lines: string) => void) {
    this.#send = send;
    this.#standardError = standardError;
  }

  /** The number of records on standard error that the journal has not been told of. */
  get refused(): number {
    return this.#refused;
  }

  write(record: LogRecord): void {
    if (!this.#hasDoor || !this.#sends(record)) {
      this.#standardError(priorityLines(record));
      return;
    }
    if (this.#refused === 0) return;
    if (this.#sends(refusalNotice(this.#refused, this.#reason), false)) this.#refused = 0;
  }

  /** @returns whether journald has taken it */
  #sends(record: LogRecord, isCounted = true): boolean {
    try {
      this.#send(JOURNAL_SOCKET, encodeJournalEntry(journalFields(record)));
      return true;
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (code === 'ADDON_MISSING') this.#hasDoor = false;
      else if (isCounted) {
        this.#refused++;
        this.#reason = code;
      }
      return false;
    }
  }
}

function refusalNotice(refused: number, reason: string): LogRecord {
  const lines = refused === 1 ? '1 line' : `${refused} lines`;
  const msg = `journald did not take ${lines} of the log (${reason}): they are on standard error`;
  return { level: LEVEL_WARN, room: 'daemon', refusedLines: refused, reason, msg };
}

/** Each line of a record with its priority in front: `<4>text`; on a terminal without. */
function priorityLines(record: LogRecord): string {
  const prefix = isatty(STANDARD_ERROR) ? '' : `<${priorityOf(record.level)}>`;
  return `${textOf(record).replaceAll(/^/gm, prefix)}\n`;
}
