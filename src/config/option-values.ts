import { accessSync, constants, realpathSync } from 'node:fs';
import { EtherwsError } from '../errors.ts';

/** How the values of options are read: each complaint names the option and what was got. */

/** @returns the real path. @throws EtherwsError FILE_UNREADABLE */
export function readableFile(option: string, file: string): string {
  try {
    const path = realpathSync(file);
    accessSync(path, constants.R_OK);
    return path;
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new EtherwsError('FILE_UNREADABLE', `${option}: cannot read "${file}": ${reason}`, {
      cause: error,
      hint: 'Check the path and its permissions',
    });
  }
}

/** The same for an option that may be absent. */
export function readableFileIfGiven(option: string, file: string | undefined): string | undefined {
  return file === undefined ? undefined : readableFile(option, file);
}

/** @throws EtherwsError ARGUMENT_INVALID */
export function readWhole(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw invalidOption(`${option} must be a whole number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

/** @throws EtherwsError ARGUMENT_INVALID */
export function readSeconds(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1_000_000)) {
    throw invalidOption(`${option} must be a number of seconds above 0 and up to 1000000, got "${text}"`);
  }
  return value;
}

export function invalidOption(message: string, hint?: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, hint === undefined ? {} : { hint });
}
