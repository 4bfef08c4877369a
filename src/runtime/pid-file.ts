import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { EtherwsError } from '../errors.ts';
import { type FileOwner, type OwnFile, openOwnFile } from './own-file.ts';
import { describeFileError } from './own-file-error.ts';
import { findPlace } from './safe-path.ts';

/** Readable for all users, so that their scripts can find out whether the switch runs. */
const MODE = 0o644;
const MAX_BYTES = 64;
/** /proc has the start time of a process in 0.01 s after the boot time, which is in whole seconds. */
const START_TOLERANCE_MS = 2000;

/** The file with the process id of the switch. It belongs to this process from `write` to `remove`. */
export class PidFile {
  readonly #path: string;
  readonly #owner: FileOwner | undefined;
  #file: OwnFile | undefined;

  /** @param owner the user that the process will become, and that must be able to change the file then */
  constructor(path: string, owner?: FileOwner) {
    this.#path = path;
    this.#owner = owner;
  }

  /**
   * Checks that no other running switch has the file, before this one opens its sockets.
   * @throws EtherwsError DAEMON_FAILED if its process is alive, or if it is no PID file
   */
  check(): void {
    if (process.platform !== 'linux') return;
    try {
      const place = findPlace(this.#path);
      try {
        if (place.entry !== undefined && fstatSync(place.entry).isFile()) {
          this.#requireFree(openSync(`/proc/self/fd/${place.entry}`, constants.O_RDONLY), closeSync);
        }
      } finally {
        place.close();
      }
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** @throws EtherwsError DAEMON_FAILED */
  write(): void {
    try {
      const file = openOwnFile(this.#path, { access: constants.O_RDWR, mode: MODE, owner: this.#owner });
      this.#file = file;
      // Another switch may have written the file since `check`.
      this.#requireFree(file.descriptor);
      ftruncateSync(file.descriptor);
      writeSync(file.descriptor, `${process.pid}\n`, 0);
    } catch (error) {
      this.#forget();
      throw this.#explain(error);
    }
  }

  /** Removes the file, if it still is the one of `write`. Never throws; idempotent. */
  remove(): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      if (pidOf(textOf(file.descriptor), this.#path) !== process.pid) return;
      // Emptied first: after a change of user, removing may be forbidden by the directory.
      ftruncateSync(file.descriptor);
      const there = statSync(file.place.path, { bigint: true });
      const own = fstatSync(file.descriptor, { bigint: true });
      if (there.ino === own.ino && there.dev === own.dev) unlinkSync(file.place.path);
    } catch {
      // The file is empty, or another process has replaced it.
    } finally {
      this.#forget();
    }
  }

  #forget(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file.descriptor);
    this.#file.place.close();
    this.#file = undefined;
  }

  /** @param release called with the descriptor at the end */
  #requireFree(descriptor: number, release: (descriptor: number) => void = () => undefined): void {
    try {
      const pid = pidOf(textOf(descriptor), this.#path);
      if (pid !== undefined && pid !== process.pid) this.#requireDead(pid, fstatSync(descriptor).mtimeMs);
    } finally {
      release(descriptor);
    }
  }

  #requireDead(pid: number, writtenAtMs: number): void {
    if (!isAlive(pid)) return;
    // A process that started after the file was written cannot be its writer: the process id was reused.
    const startedAtMs = startTimeOf(pid);
    if (startedAtMs !== undefined && startedAtMs > writtenAtMs + START_TOLERANCE_MS) return;
    throw new EtherwsError('DAEMON_FAILED', `The PID file "${this.#path}" is of process ${pid}, which runs`, {
      hint: 'Stop that switch first, or give this one a PID file of its own',
    });
  }

  #explain(error: unknown): EtherwsError {
    if (error instanceof EtherwsError) return error;
    return describeFileError('DAEMON_FAILED', `Cannot write the PID file "${this.#path}"`, error);
  }
}

/** @throws EtherwsError DAEMON_FAILED if the text is no process id */
function pidOf(text: string, path: string): number | undefined {
  if (text === '') return undefined;
  // No 0: kill(2) would take it for our own process group.
  const pid = /^\s*([1-9]\d{0,9})\s*$/.exec(text)?.[1];
  if (pid !== undefined) return Number(pid);
  throw new EtherwsError('DAEMON_FAILED', `The PID file "${path}" holds something else than a process id`, {
    hint: 'Remove it, if it is not needed, or name another file with --pidfile',
  });
}

function textOf(descriptor: number): string {
  const bytes = Buffer.alloc(MAX_BYTES);
  return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, MAX_BYTES, 0));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * The start of a process in milliseconds since 1970: Infinity for a process that has ended but was not reaped, which
 * counts as dead; undefined if it is unknown.
 */
function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may contain any character. Behind it come fields 3 (state) to 22 (starttime) of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return Number.POSITIVE_INFINITY;
    const ticks = Number(fields[19]);
    const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
    const startedAtMs = bootSeconds * 1000 + ticks * 10;
    return Number.isFinite(startedAtMs) ? startedAtMs : undefined;
  } catch {
    return undefined;
  }
}
