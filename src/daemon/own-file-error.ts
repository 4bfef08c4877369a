import { UnsafePathError } from '../auth/safe-path.ts';
import { type ErrorCode, EtherwsError } from '../errors.ts';

/** Why a file of the process itself cannot be written: `what` says which one. */
export function describeFileError(code: ErrorCode, what: string, error: unknown): EtherwsError {
  return new EtherwsError(code, `${what}: ${(error as Error).message}`, {
    cause: error,
    hint: error instanceof UnsafePathError ? error.hint : 'Choose a place that this user may write to',
  });
}
