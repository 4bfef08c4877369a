import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

const STANDARD_ERROR = 2;
/** Bound of the lines that wait for a slow reader. Beyond it lines are lost, and counted. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** After how long a reader that was too slow is tried again. */
const SLOW_RETRY_MS = 20;
/** After how long a device without room is tried again, when nothing is logged meanwhile. */
const FULL_RETRY_MS = 1000;

/** Calls of the system, for tests to replace. */
export interface SinkSystem {
  /** @returns how many octets were written. @throws an error of the system */
  write(descriptor: number, bytes: Uint8Array, offset: number): number;
}

const SYSTEM: SinkSystem = { write: (descriptor, bytes, offset) => writeSync(descriptor, bytes, offset) };

/** A line, as far as it has not been written. */
interface Waiting {
  readonly bytes: Buffer;
  written: number;
}

/**
 * Where log lines go: descriptor 2, whatever that is at the moment. Lines are
 * written at once, so that a crash loses nothing.
 *
 * A log must neither end the process nor stop it:
 *
 * - an error of the system (a full disk, a closed pipe) loses the line, which is
 *   counted. As soon as there is room, `notice` says how many were lost;
 * - a reader that does not keep up makes lines wait, up to MOST_WAITING_BYTES.
 *   The write itself never blocks: where it would, the target is opened once
 *   more with O_NONBLOCK, which changes nothing for the other owners of descriptor 2.
 */
export class LogSink {
  readonly #notice: (lostLines: number) => string;
  readonly #system: SinkSystem;
  readonly #target = new StandardError();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lostLines = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param notice makes the line that says how many lines were lost, with its line end */
  constructor(notice: (lostLines: number) => string, system: SinkSystem = SYSTEM) {
    this.#notice = notice;
    this.#system = system;
    process.once('exit', () => this.#flush());
  }

  /** Lines that were lost and of which nothing has been said yet. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** @param line with its line end */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waiting.length > 0) this.#flush();
    if (this.#waitingBytes + bytes.length > MOST_WAITING_BYTES) {
      this.#lostLines++;
      return;
    }
    this.#admitLost();
    this.#append(bytes);
    this.#flush();
  }

  /** Says how many lines were lost, once nothing waits in front of that. */
  #admitLost(): void {
    if (this.#lostLines === 0 || this.#waiting.length > 0) return;
    const lostLines = this.#lostLines;
    this.#append(Buffer.from(this.#notice(lostLines)));
    // Where there is no room for it, the notice itself is not one of the lost lines.
    this.#lostLines = this.#flush() ? 0 : lostLines;
  }

  #append(bytes: Buffer): void {
    this.#waiting.push({ bytes, written: 0 });
    this.#waitingBytes += bytes.length;
  }

  /** @returns whether everything was written, or waits for a slow reader */
  #flush(): boolean {
    const descriptor = this.#target.descriptor();
    // The rest of a line belongs behind its beginning, and nowhere else.
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
    // A line that was begun keeps its place: its rest goes first when there is room.
    const begun = (this.#waiting[0]?.written ?? 0) > 0 ? this.#shift() : undefined;
    this.#lostLines += this.#waiting.length;
    this.#waiting = begun === undefined ? [] : [begun];
    this.#waitingBytes = begun?.bytes.length ?? 0;
    // Of a pipe whose reader is gone nothing is to be expected.
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
      if (this.#flush()) this.#admitLost();
    }, ms).unref();
  }
}

/** What descriptor 2 is: it may be pointed at another file at any time. */
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
      // Files never block; nothing else needs a second description.
      this.#reopened = stats === undefined || stats.isFile() ? undefined : openWithoutBlocking();
    }
    return this.#reopened ?? STANDARD_ERROR;
  }

  /** Whether the target is another one than at the last call. */
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
    // A socket cannot be opened. Node's stream for it, once it is there, has made the descriptor non-blocking.
    void process.stderr;
    return undefined;
  }
}
