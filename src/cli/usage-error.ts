import { EtherwsError } from '../errors.ts';

/** A command line that cannot be meant as it stands: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** what to write instead */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Runs `check` on what stood in the command line.
 * @throws UsageError for what it finds wrong, by the rules that the switch applies, too
 */
export async function checkUsage<T>(check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof EtherwsError) throw new UsageError(error.message, error.hint);
    throw error;
  }
}
