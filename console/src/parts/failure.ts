import { CallFailure } from '../live/call-failure.ts';

/** The sentence of a failed call, and what to try. */
export function failureText(error: unknown): string {
  if (error instanceof CallFailure && error.hint !== undefined) return `${error.message}. ${error.hint}.`;
  return error instanceof Error ? error.message : String(error);
}
