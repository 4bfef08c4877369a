import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import { type FileOwner, openOwnFile } from './own-file.ts';
import { describeFileError } from './own-file-error.ts';

const STANDARD_ERROR = 2;
/** Not readable for all users: logs contain addresses and user names. */
const MODE = 0o640;

/** A file that replaces standard error, and is opened again after log rotation has renamed it. */
export class LogFile {
  readonly #path: string;
  /** the descriptor until `takeOver` */
  #opened: number | undefined;

  /**
   * Opens the file and changes its owner, by descriptor.
   * @throws EtherwsError FILE_UNWRITABLE
   */
  static open(path: string, owner?: FileOwner): LogFile {
    return new LogFile(path, openLog(path, owner));
  }

  private constructor(path: string, opened: number) {
    this.#path = path;
    this.#opened = opened;
  }

  /** Redirects standard error to the file, in append mode. */
  takeOver(): void {
    if (this.#opened === undefined) return;
    redirectStandardError(this.#opened);
    this.#opened = undefined;
  }

  /**
   * Opens the path again, and creates the file if necessary. Does nothing if standard error is a pipe or a terminal.
   * @throws EtherwsError FILE_UNWRITABLE; then the file that was open stays in use
   */
  reopen(): void {
    if (fstatSync(STANDARD_ERROR).isFile()) redirectStandardError(openLog(this.#path, undefined));
  }
}

/** Redirects standard error to /dev/null, for a daemon without a log file. */
export function silenceStandardError(): void {
  redirectStandardError(openSync('/dev/null', constants.O_WRONLY));
}

function openLog(path: string, owner: FileOwner | undefined): number {
  try {
    const { descriptor, place } = openOwnFile(path, {
      access: constants.O_WRONLY | constants.O_APPEND,
      mode: MODE,
      owner,
    });
    place.close();
    return descriptor;
  } catch (error) {
    throw describeFileError('FILE_UNWRITABLE', `--logfile: cannot append to "${path}"`, error);
  }
}

/** Takes ownership of the descriptor. */
function redirectStandardError(descriptor: number): void {
  try {
    nativeAddon().redirectDescriptor(descriptor, STANDARD_ERROR);
  } catch (error) {
    if (!(error instanceof EtherwsError)) throw error;
    // Without the addon there is no dup2. open(2) returns the lowest free descriptor, which is the one just closed. The
    // file can be opened by name, since without the addon the process has not changed its user.
    closeSync(STANDARD_ERROR);
    openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_APPEND);
  } finally {
    closeSync(descriptor);
  }
}
