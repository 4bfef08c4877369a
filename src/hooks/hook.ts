import { accessSync, constants, statSync } from 'node:fs';
import { describeError, EtherwsError } from '../errors.ts';
import { EVENT_KINDS, type EventKind } from '../events/event.ts';

/** A program that is run for each event of a kind. */
export interface Hook {
  readonly event: EventKind;
  /** its absolute path */
  readonly program: string;
}

/** @param text `EVENT=PROGRAM`, valid by the table of options. @throws EtherwsError ARGUMENT_INVALID */
export function hookOf(text: string): Hook {
  const at = text.indexOf('=');
  const event = EVENT_KINDS.find((kind) => kind === text.slice(0, at));
  if (event !== undefined) return { event, program: text.slice(at + 1) };
  throw new EtherwsError('ARGUMENT_INVALID', `A hook is EVENT=PROGRAM, got "${text}"`);
}

/** @throws EtherwsError FILE_UNREADABLE for a program that this process cannot run */
export function requirePrograms(hooks: readonly Hook[]): void {
  for (const hook of hooks) requireProgram(hook);
}

function requireProgram({ event, program }: Hook): void {
  try {
    accessSync(program, constants.X_OK);
    if (statSync(program).isFile()) return;
  } catch (error) {
    throw unusable(event, program, describeError(error), error);
  }
  throw unusable(event, program, 'it is no file');
}

function unusable(event: EventKind, program: string, why: string, cause?: unknown): EtherwsError {
  return new EtherwsError('FILE_UNREADABLE', `Cannot run "${program}", the hook of ${event}: ${why}`, {
    cause,
    hint: 'A hook is the absolute path of an executable file',
  });
}
