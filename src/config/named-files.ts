import { accessSync, constants, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Path, type Problem, problemAt } from '../schema/check.ts';
import { FILE_ROWS } from '../schema/sw-options.ts';
import type { Written } from '../schema/written.ts';

/** The files in options, as absolute paths. */
export class NamedFiles {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #written: Written;
  /** one for each unreadable file */
  readonly problems: readonly Problem[];

  /** @param document as written. Values that are no strings are skipped, since the schema reports them */
  constructor(document: unknown, written: Written) {
    const paths = new Map<string, string>();
    const problems: Problem[] = [];
    for (const { path, row } of FILE_ROWS) {
      const text = valueAt(document, path);
      if (typeof text !== 'string') continue;
      const file = resolve(written.directoryOf(path), text);
      try {
        paths.set(path.join('.'), row.file === 'read' ? readable(file) : file);
      } catch (error) {
        problems.push(problemAt(path, unreadable(error as NodeJS.ErrnoException), text));
      }
    }
    this.#paths = paths;
    this.#written = written;
    this.problems = problems;
  }

  /** The same options, with absolute paths. Symbolic links are not resolved, so that their targets can change. */
  withPaths<Options extends object>(options: Options): Options {
    const result = { ...options } as Record<string, unknown>;
    for (const { path } of FILE_ROWS) {
      const text = valueAt(options, path);
      if (typeof text !== 'string') continue;
      const [section = '', key] = path;
      const absolute = resolve(this.#written.directoryOf(path), text);
      result[section] = key === undefined ? absolute : { ...(result[section] as object), [key]: absolute };
    }
    return result as Options;
  }

  /** The file of the option at `path`; for a file that is read, its real path. */
  at(...path: string[]): string | undefined {
    return this.#paths.get(path.join('.'));
  }
}

/** The problem of an unreadable file in the option at `path`; undefined: it is readable. */
export function readabilityProblem(path: Path, text: string, written: Written): Problem | undefined {
  try {
    readable(resolve(written.directoryOf(path), text));
    return undefined;
  } catch (error) {
    return problemAt(path, unreadable(error as NodeJS.ErrnoException), text);
  }
}

function readable(file: string): string {
  const path = realpathSync(file);
  accessSync(path, constants.R_OK);
  return path;
}

function unreadable({ code, message }: NodeJS.ErrnoException) {
  const reason = code === 'ENOENT' ? 'there is no such file' : message;
  return {
    code: 'FILE_UNREADABLE',
    sentence: `{name}: cannot read {value}: ${reason.replaceAll('{', '(').replaceAll('}', ')')}`,
    hint: 'Check the path and its permissions',
  } as const;
}

/** The value at a path of a document; undefined without one. */
export function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
