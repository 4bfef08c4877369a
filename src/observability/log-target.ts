import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

const STANDARD_ERROR = 2;

/** What standard error leads to. */
export type LogTarget = 'terminal' | 'journal' | 'other';

/**
 * What standard error leads to now; `--logfile` and the background redirect it. JOURNAL_STREAM has the device and inode
 * of the stream that systemd connected to journald (systemd.exec(5)); a process that redirected it keeps the variable.
 */
export function logTarget(): LogTarget {
  if (isatty(STANDARD_ERROR)) return 'terminal';
  const { JOURNAL_STREAM: stream } = process.env;
  return stream !== undefined && stream === identityOfStandardError() ? 'journal' : 'other';
}

function identityOfStandardError(): string | undefined {
  try {
    const { dev, ino } = fstatSync(STANDARD_ERROR, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
