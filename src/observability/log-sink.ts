import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

const STANDARD_ERROR = 2;
/** The most octets that are queued for a slow reader. Further lines are lost and counted. */
const MAX_QUEUED_BYTES = 1024 * 1024;
/** The wait before writing again to a reader that was too slow. */
const SLOW_RETRY_MS = 20;
/** The wait before writing again after an error such as a full disk, unless a line is logged before. */
const FULL_RETRY_MS = 1000;

/** System calls, which tests replace. */
export interface SinkSystem {
  /** @returns how many octets were written. @throws ErrnoException */
  write(descriptor: number, bytes: Uint8Array, offset: number): number;
}

const SYSTEM: SinkSystem = { write: (descriptor, bytes, offset) => writeSync(descriptor, bytes, offset) };

/** A queued line, and how many octets of it were written. */
interface Waiting {
  readonly bytes: Buffer;
  written: number;
}

/**
 * Writes log lines to descriptor 2, which may be redirected at any time. Lines are
 * written at once, so that a crash loses none.
 *
 * Logging must neither end nor block the process:
 *
 * - After a system error (a full disk, a closed pipe) the line is lost and
 *   counted. As soon as writing succeeds again, `notice` reports the number of lost lines.
 * - Lines for a slow reader are queued, up to MAX_QUEUED_BYTES. Writes never block: a
 *   target that is no file is opened once more with O_NONBLOCK, which does not affect the
 *   other processes that share descriptor 2.
 */
export class LogSink {
  readonly #notice: (lostLines: number) => string;
  readonly #system: SinkSystem;
  readonly #target = new StandardError();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lostLines = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param notice returns the line that reports lost lines, with its line end */
  constructor(notice: (lostLines: number) => string, system: SinkSystem = SYSTEM) {
    this.#notice = notice;
    this.#system = system;
    process.once('exit', () => this.#flush());
  }

  /** The number of lost lines that were not reported yet. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** @param line with its line end */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waiting.length > 0) this.#flush();
    if (this.#waitingBytes + bytes.length > MAX_QUEUED_BYTES) {
      this.#lostLines++;
      return;
    }
    this.#reportLost();
    this.#append(bytes);
    this.#flush();
  }

  /** Reports lost lines, if no line is queued in front of the report. */
  #reportLost(): void {
    if (this.#lostLines === 0 || this.#waiting.length > 0) return;
    const lostLines = this.#lostLines;
    this.#append(Buffer.from(this.#notice(lostLines)));
    // A notice that cannot be written does not count as a lost line.
    this.#lostLines = this.#flush() ? 0 : lostLines;
  }

  #append(bytes: Buffer): void {
    this.#waiting.push({ bytes, written: 0 });
    this.#waitingBytes += bytes.length;
  }

  /** @returns whether all lines were written, or are queued for a slow reader */
  #flush(): boolean {
    const descriptor = this.#target.descriptor();
    // The rest of a partly written line must not go to another target.
    if (this.#target.takeHasChanged() && (this.#waiting[0]?.written ?? 0) > 0) this.#shift();
    try {
      for (let line = this.#waiting[0]; line !== undefined; line = this.#waiting[0]) {
        line.written += this.#system.write(descriptor, line.bytes, line.written);
        if (line.written === line.bytes.length) this.#shift();
      }
      return true;
    } catch (error) {
      return this.#failed((error as NodeJS.ErrnoException).code);
    }
  }

  #failed(code: string | undefined): boolean {
    if (code === 'EAGAIN') {
      this.#retryIn(SLOW_RETRY_MS);
      return true;
    }
    // A partly written line stays in the queue, so that its rest is written first.
    const begun = (this.#waiting[0]?.written ?? 0) > 0 ? this.#shift() : undefined;
    this.#lostLines += this.#waiting.length;
    this.#waiting = begun === undefined ? [] : [begun];
    this.#waitingBytes = begun?.bytes.length ?? 0;
    // A pipe without a reader will not work again, so there is no retry.
    if (code !== 'EPIPE') this.#retryIn(FULL_RETRY_MS);
    return false;
  }

  #shift(): Waiting | undefined {
    const line = this.#waiting.shift();
    this.#waitingBytes -= line?.bytes.length ?? 0;
    return line;
  }

  #retryIn(ms: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#flush()) this.#reportLost();
    }, ms).unref();
  }
}

/** Descriptor 2, and whether it refers to another target than before: log rotation may redirect it at any time. */
class StandardError {
  #identity = '';
  #hasChanged = false;
  /** Another open file description of the same target, which does not block. */
  #reopened: number | undefined;

  /** The descriptor to write to. */
  descriptor(): number {
    const stats = statsOfStandardError();
    const identity = `${stats?.dev} ${stats?.ino} ${stats?.rdev}`;
    if (identity !== this.#identity) {
      this.#hasChanged = this.#identity !== '';
      this.#identity = identity;
      if (this.#reopened !== undefined) closeSync(this.#reopened);
      // Writes to files do not block, so only other targets are opened again.
      this.#reopened = stats === undefined || stats.isFile() ? undefined : openWithoutBlocking();
    }
    return this.#reopened ?? STANDARD_ERROR;
  }

  /** Whether the target has changed since the last call. */
  takeHasChanged(): boolean {
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }
}

function statsOfStandardError(): ReturnType<typeof fstatSync> | undefined {
  try {
    return fstatSync(STANDARD_ERROR);
  } catch {
    return undefined;
  }
}

function openWithoutBlocking(): number | undefined {
  try {
    return openSync(`/proc/self/fd/${STANDARD_ERROR}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket cannot be opened. Creating Node's stream makes its descriptor non-blocking.
    void process.stderr;
    return undefined;
  }
}
