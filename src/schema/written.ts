import type { Names, Path, Problem } from './check.ts';

/** Where the values of a document were written: on a command line, in files, or in both. */
export interface Written {
  /** what a message calls a place */
  readonly names: Names;
  /** a value for a message */
  say(value: unknown): string;
  /** what a relative path that was written there is relative to */
  directoryOf(path: Path): string;
  /** where it stands in a file, as `file:line:column`; undefined for what was typed */
  placeOf(path: Path): string | undefined;
  /** what to throw */
  errorOf(problems: readonly [Problem, ...Problem[]]): Error;
}
