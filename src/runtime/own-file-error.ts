import { type ErrorCode, EtherwsError } from '../errors.ts';
import { UnsafePathError } from './safe-path.ts';

/** Explains why a file of the process itself (log file, PID file) cannot be written. @param what which file, and what failed */
export function describeFileError(code: ErrorCode, what: string, error: unknown): EtherwsError {
  return new EtherwsError(code, `${what}: ${reasonOf(error)}`, {
    cause: error,
    hint: error instanceof UnsafePathError ? error.hint : 'Choose a place that this user may write to',
  });
}

/** Node's message without its path: files are opened by /proc/self/fd/N/NAME, which would tell the user nothing. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return /^([A-Z0-9]+: [^,]+), /.exec(message)?.[1] ?? message;
}
