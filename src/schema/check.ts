import * as v from 'valibot';
import { type ErrorCode, EtherwsError } from '../errors.ts';
import { shownUrl } from '../net/shown-url.ts';

/**
 * The check of a document against a schema, and the messages of its errors. It is one file, since `etherws ctl` loads it
 * at every start.
 */

/** Any synchronous schema of valibot. */
export type Schema<Output = unknown> = v.GenericSchema<unknown, Output> | v.GenericSchema<never, Output>;

/** Only the first problem is reported, so the check ends there: a hostile document could have millions. */
const CONFIG = { abortEarly: true } as const;

/**
 * Checks a document. The result has defaults and canonical texts.
 * @param names how an error names a place in the document; default: its path in JSON
 * @throws EtherwsError ARGUMENT_INVALID, or with the code of the violated rule
 */
export function check<S extends Schema>(schema: S, document: unknown, names: Names = dottedNames()): v.InferOutput<S> {
  const result = v.safeParse(schema, document, CONFIG);
  if (result.success) return result.output;
  throw problemOf(result.issues[0]).toError(names);
}

/** The values of a valid document, or all problems of another. */
export type Examined<Output> =
  | { readonly values: Output; readonly problems: readonly [] }
  | { readonly values: undefined; readonly problems: readonly [Problem, ...Problem[]] };

/** Finds all problems of a document. `check` finds the first. */
export function examine<S extends Schema>(schema: S, document: unknown): Examined<v.InferOutput<S>> {
  const result = v.safeParse(schema, document);
  if (result.success) return { values: result.output, problems: [] };
  const told = new Set<string>();
  const issues = result.issues.filter((issue) => {
    // A number may break several rules that have the same message.
    const key = JSON.stringify([(issue.path ?? []).map(({ key }) => key), issue.message]);
    return !told.has(key) && told.add(key);
  });
  return { values: undefined, problems: issues.map(problemOf) as [Problem, ...Problem[]] };
}

/** The first problem of a document, for files whose errors name a line; undefined if the document is valid. */
export function findProblem(schema: Schema, document: unknown): Problem | undefined {
  const result = v.safeParse(schema, document, CONFIG);
  return result.success ? undefined : problemOf(result.issues[0]);
}

/**
 * The messages of schemas are templates. An issue of valibot has one
 * string; a template lets the same rule name `options.mac` to a
 * caller of the RPC, `--mac` on the command line, and a line in a file.
 *
 * | in the template | stands for |
 * |---|---|
 * | `{name}` | the place of the value |
 * | `{quotedName}` | the same in quotes |
 * | `{value}` | the value, quoted and shortened; not in the template of a secret |
 * | `{.key}` | the place of `key` in the object that is checked; also `{.section.key}` |
 * | `{.key:false}` | the same, for a value of `false` |
 */

/** The place of a value in a document: `['options', 'alternatives', 0]`. */
export type Path = readonly (string | number)[];

/** How messages name a place. @param isFalse whether its value is `false` */
export type Names = (path: Path, isFalse?: boolean) => string;

/** Why a value is refused. */
export interface Complaint {
  /** a template */
  readonly sentence: string;
  /** a template: what to try */
  readonly hint?: string | undefined;
  /** default ARGUMENT_INVALID */
  readonly code?: ErrorCode | undefined;
}

/** Separates code, hint and sentence in the one string of a valibot issue. */
const SEPARATOR = '\u001f';

/** A complaint as the message of a valibot schema or action. */
export function messageOf({ sentence, hint = '', code = 'ARGUMENT_INVALID' }: Complaint): string {
  return [code, hint, sentence].join(SEPARATOR);
}

/** Removes `{value}` from a message, for secrets. */
export function withoutValue(message: string): string {
  return message.replaceAll(', got {value}', '').replaceAll('{value} ', '');
}

/** A problem of a document, and its place. */
export interface Problem {
  readonly path: Path;
  /** the first option that the message names; `path` if it names none */
  readonly subject: Path;
  /** for an unknown name: the names that exist */
  readonly known?: readonly string[];
  /** @param say how the message has the value; default `quote` */
  toError(names: Names, say?: (value: unknown) => string): EtherwsError;
}

function problemOf(issue: v.BaseIssue<unknown> & { readonly known?: readonly string[] }): Problem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  const problem = problemAt(path, partsOf(issue.message), issue.input);
  return issue.known === undefined ? problem : { ...problem, known: issue.known };
}

/** A complaint about what stands at `path`. */
export function problemAt(
  path: Path,
  { code = 'ARGUMENT_INVALID', hint, sentence }: Complaint,
  value?: unknown,
): Problem {
  const [, key] = /\{\.([\w.]+)/.exec(sentence) ?? /\{\.([\w.]+)/.exec(hint ?? '') ?? [];
  return {
    path,
    subject: key === undefined ? path : [...path, ...key.split('.')],
    toError: (names, say = quote) => {
      const filled = (template: string): string => fill(template, path, value, names, say);
      return new EtherwsError(code, filled(sentence), hint === undefined || hint === '' ? {} : { hint: filled(hint) });
    },
  };
}

function partsOf(message: string): { code: ErrorCode; hint: string; sentence: string } {
  const [code, hint, ...sentence] = message.split(SEPARATOR);
  // A message without separators is valibot's own.
  if (hint === undefined) return { code: 'ARGUMENT_INVALID', hint: '', sentence: `{name}: ${code}` };
  return { code: code as ErrorCode, hint, sentence: sentence.join(SEPARATOR) };
}

function fill(template: string, path: Path, value: unknown, names: Names, say: (value: unknown) => string): string {
  return template.replace(
    /\{(?:(name)|(quotedName)|(value)|\.([\w.]+)(:false)?)\}/g,
    (_whole, isName, isQuotedName, isValue, key, isFalse) => {
      if (isName !== undefined) return names(path);
      if (isQuotedName !== undefined) return quote(names(path));
      return isValue === undefined ? names([...path, ...key.split('.')], isFalse !== undefined) : say(value);
    },
  );
}

/**
 * Names places by their paths in JSON: `options.alternatives[0]`.
 * @param root the name of the whole document
 */
export function dottedNames(root = 'params'): Names {
  return (path, isFalse = false) => {
    if (path.length === 0) return root;
    const name = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    const whole = root === 'params' ? name.replace(/^\./, '') : `${root}${name}`;
    return isFalse ? `${whole}: false` : whole;
  };
}

/** Runs `parse`. @returns its EtherwsError as a complaint; undefined if it succeeds */
export function complaintOf(parse: () => unknown): Complaint | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof EtherwsError) return { sentence: error.message, hint: error.hint, code: error.code };
    throw error;
  }
}

const QUOTED_CHARACTERS = 60;

/** A value for a message: shortened, on one line, and without the secrets of a URL. */
export function quote(value: unknown): string {
  if (typeof value === 'string') {
    const shown = shownUrl(value);
    return JSON.stringify(shown.length > QUOTED_CHARACTERS ? `${shown.slice(0, QUOTED_CHARACTERS)}...` : shown);
  }
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'nothing' : String(value);
}

export function invalid(message: string, hint?: string): EtherwsError {
  return new EtherwsError('ARGUMENT_INVALID', message, hint === undefined ? {} : { hint });
}
