import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import { type FileOwner, openOwnFile } from './own-file.ts';
import { describeFileError } from './own-file-error.ts';

const STANDARD_ERROR = 2;
/** For the user of the switch and a group that reads logs: they hold addresses and names of users. */
const MODE = 0o640;

/** A file that standard error goes to, and goes to anew when another program has renamed it. */
export class LogFile {
  readonly #path: string;
  /** what was opened and does not stand in for standard error yet */
  #opened: number | undefined;

  /**
   * Opens the file and gives it to `owner`, by descriptor.
   * @throws EtherwsError FILE_UNWRITABLE
   */
  static open(path: string, owner?: FileOwner): LogFile {
    return new LogFile(path, openLog(path, owner));
  }

  private constructor(path: string, opened: number) {
    this.#path = path;
    this.#opened = opened;
  }

  /** From here on whatever is written to standard error is appended to the file. */
  takeOver(): void {
    if (this.#opened === undefined) return;
    leadStandardError(this.#opened);
    this.#opened = undefined;
  }

  /**
   * Goes on in the file that has the name now, which is made if need be; a pipe or a terminal stays.
   * @throws EtherwsError FILE_UNWRITABLE; then the file that was open stays so
   */
  reopen(): void {
    if (fstatSync(STANDARD_ERROR).isFile()) leadStandardError(openLog(this.#path, undefined));
  }
}

/** Standard error leads nowhere from here on: a daemon without a log has let go of its terminal. */
export function silenceStandardError(): void {
  leadStandardError(openSync('/dev/null', constants.O_WRONLY));
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

/** Takes the descriptor over. */
function leadStandardError(descriptor: number): void {
  try {
    nativeAddon().redirectDescriptor(descriptor, STANDARD_ERROR);
  } catch (error) {
    if (!(error instanceof EtherwsError)) throw error;
    // Without the addon by the rule that open(2) gives the lowest free number. No rights were dropped then.
    closeSync(STANDARD_ERROR);
    openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_APPEND);
  } finally {
    closeSync(descriptor);
  }
}
