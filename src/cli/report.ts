import { EtherwsError } from '../errors.ts';
import { descriptorsUsedUp, saysDescriptorsUsedUp } from '../runtime/descriptor-limit.ts';
import { CommanderError } from './commander.ts';
import { escapeSentence } from './format.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export const EXIT_SUCCESS = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** How the message of a `ConfigInvalid` ends, whose detail is its errors. */
const HAS_ERRORS = / has (?:an error|\d+ errors)$/;

/** A failure that the daemon has reported on the shared standard error; the parent passes on only its status. */
export class ReportedFailure extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`failed with status ${status}`);
    this.status = status;
  }
}

/**
 * Reports on standard error why a command failed, in the format of 1.x: the message with the code, and the detail on
 * the next line.
 * @returns the exit status
 */
export function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_SUCCESS : EXIT_USAGE; // commander has printed its message
  if (error instanceof ReportedFailure) return error.status;
  if (error instanceof UsageError) {
    const hint = error.hint === undefined ? '' : `${escapeSentence(error.hint)}\n`;
    terminal.complain(`error: ${escapeSentence(error.message)}\n${hint}`);
    return EXIT_USAGE;
  }
  const { message, code, detail } = facts(error);
  if (detail !== undefined && HAS_ERRORS.test(message)) {
    // Each line begins with `file:line:column`, as editors parse it.
    const lines = [...detail.split('\n'), `${message} (${code})`];
    terminal.complain(lines.map((line) => `${escapeSentence(line)}\n`).join(''));
    return EXIT_FAILURE;
  }
  const lines = [`${message} (${code})`, ...(detail === undefined || detail === '' ? [] : [detail])];
  terminal.complain(lines.map((line) => `  ${escapeSentence(line)}\n`).join(''));
  return EXIT_FAILURE;
}

interface Facts {
  readonly message: string;
  readonly code: string | number;
  readonly detail?: string | undefined;
}

function facts(problem: unknown): Facts {
  const error = saysDescriptorsUsedUp(problem) ? descriptorsUsedUp(problem) : problem;
  if (error instanceof EtherwsError) return { message: error.message, code: error.code, detail: error.hint };
  if (isControlError(error)) return ofSwitch(error);
  // etherws.ts explains it, since it has to do so also when this module cannot be loaded.
  if (isPackageMissing(error)) throw error;
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: 'unexpected', detail: 'This is a mistake in etherws; please report what you typed' };
}

/** A configuration file that the switch refuses is reported as one that is refused here: each error with its place. */
function ofSwitch({ message, code, data }: { message: string; code: number; data: string }): Facts {
  const [, summary, lines] = /^CONFIG_INVALID: (.*? has (?:an error|\d+ errors))\. (.*)$/s.exec(data) ?? [];
  if (summary === undefined) return { message, code, detail: data };
  return { message: summary, code: 'CONFIG_INVALID', detail: lines };
}

/** Checks the members, since the class would load the control client, which `etherws sw` does not need. */
function isControlError(error: unknown): error is { message: string; code: number; data: string } {
  return error instanceof Error && error.name === 'ControlError' && 'code' in error && 'data' in error;
}

function isPackageMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
