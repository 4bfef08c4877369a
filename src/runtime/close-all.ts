/**
 * Runs all closings, one after the other: one that fails does not keep the next ones from running.
 * @throws the error of the closing that failed; an AggregateError with those of several
 */
export async function closeAll(closings: Iterable<() => Promise<void> | void>): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closings) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  throwAll(errors);
}

/**
 * Waits for closings that are under way at the same time, each to its end.
 * @throws as `closeAll`
 */
export async function allClosed(closings: Iterable<Promise<void>>): Promise<void> {
  const outcomes = await Promise.allSettled(closings);
  throwAll(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])));
}

function throwAll(errors: readonly unknown[]): void {
  if (errors.length > 1) throw new AggregateError(errors, errors.map(reasonOf).join('; '));
  if (errors.length === 1) throw errors[0];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
