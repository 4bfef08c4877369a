import { EtherwsError } from '../errors.ts';

/** An invalid command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** what to try */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Runs a check of command-line values, by the same rules as the switch.
 * @throws UsageError instead of an EtherwsError
 */
export async function checkUsage<T>(check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof EtherwsError) throw new UsageError(error.message, error.hint);
    throw error;
  }
}
