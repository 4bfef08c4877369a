import { type ErrorCode, EtherwsError } from '../errors.ts';

/** The errno's name of an error that the addon threw, undefined for any other. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** How an errno is told to a user; what is not named here is DEVICE_FAILED with the kernel's words. */
export type ErrnoTable = Readonly<Partial<Record<string, { code: ErrorCode; message: string; hint?: string }>>>;

/** Turns what the addon threw into an EtherwsError about `device`; anything else passes as it is. */
export function deviceError(error: unknown, device: string, table: ErrnoTable = {}): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const known = table[errno];
  if (known === undefined) {
    return new EtherwsError('DEVICE_FAILED', `Device "${device}": ${(error as Error).message}`, { cause: error });
  }
  const { code, message, hint } = known;
  return new EtherwsError(code, message, hint === undefined ? { cause: error } : { cause: error, hint });
}
