import { type ErrorCode, EtherwsError } from '../errors.ts';
import { UnsafePathError } from './safe-path.ts';

/** Why a file of the process itself cannot be written: `what` says which one. */
export function describeFileError(code: ErrorCode, what: string, error: unknown): EtherwsError {
  return new EtherwsError(code, `${what}: ${reasonOf(error)}`, {
    cause: error,
    hint: error instanceof UnsafePathError ? error.hint : 'Choose a place that this user may write to',
  });
}

/** Without the path of Node's message: files are opened by descriptor, as /proc/self/fd/N/NAME, which means nothing to a reader. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return /^([A-Z0-9]+: [^,]+), /.exec(message)?.[1] ?? message;
}
