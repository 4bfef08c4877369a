import * as v from 'valibot';
import { type ErrorCode, EtherwsError } from '../errors.ts';
import { shownUrl } from '../net/shown-url.ts';

/**
 * The check of a document by a schema, and how it says what is wrong. All of it stands in one file, since
 * `etherws ctl` loads it at every start.
 */

/** Any schema of valibot that asks for nothing asynchronous. */
export type Schema<Output = unknown> = v.GenericSchema<unknown, Output> | v.GenericSchema<never, Output>;

/** Only the first problem is told, so the rest need not be looked for: a hostile document could have millions. */
const CONFIG = { abortEarly: true } as const;

/**
 * The value that a document describes, with defaults and canonical texts.
 * @param names how an error calls a place in the document; default: as JSON has it
 * @throws EtherwsError ARGUMENT_INVALID, or what the rule that was broken says
 */
export function check<S extends Schema>(schema: S, document: unknown, names: Names = dottedNames()): v.InferOutput<S> {
  const result = v.safeParse(schema, document, CONFIG);
  if (result.success) return result.output;
  throw problemOf(result.issues[0]).toError(names);
}

/** The first problem of a document with its place, for files whose errors name a line; undefined: it is good. */
export function findProblem(schema: Schema, document: unknown): Problem | undefined {
  const result = v.safeParse(schema, document, CONFIG);
  return result.success ? undefined : problemOf(result.issues[0]);
}

/**
 * How the schema says what is wrong with a value. An issue of valibot carries one
 * string; ours is a template, so that the same rule speaks of `options.mac` to a
 * caller of the RPC, of `--mac` on the command line, and of a line in a file.
 *
 * | in the template | stands for |
 * |---|---|
 * | `{name}` | the place of the value |
 * | `{value}` | the value, quoted and cut short; a secret's template has none |
 * | `{.key}` | the place of `key` in the object that is checked |
 * | `{.key:false}` | the same where `false` was given |
 */

/** Where a value stands: `['options', 'alternatives', 0]`. */
export type Path = readonly (string | number)[];

/** Words for a place. @param isFalse whether the value given there is `false` */
export type Names = (path: Path, isFalse?: boolean) => string;

/** What is wrong with a value. */
export interface Complaint {
  /** a template */
  readonly sentence: string;
  /** a template: what to try */
  readonly hint?: string | undefined;
  /** default ARGUMENT_INVALID */
  readonly code?: ErrorCode | undefined;
}

/** Separates code, hint and sentence in the one string that valibot carries. */
const SEPARATOR = '\u001f';

/** A complaint as the message of a valibot schema or action. */
export function messageOf({ sentence, hint = '', code = 'ARGUMENT_INVALID' }: Complaint): string {
  return [code, hint, sentence].join(SEPARATOR);
}

/** Takes the value out of a message: nothing may repeat a secret. */
export function withoutValue(message: string): string {
  return message.replaceAll(', got {value}', '').replaceAll('{value} ', '');
}

/** One thing that is wrong with a document, and where. */
export interface Problem {
  readonly path: Path;
  /** speaks of places by `names`. */
  toError(names: Names): EtherwsError;
}

export function problemOf(issue: v.BaseIssue<unknown>): Problem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  const { code, hint, sentence } = partsOf(issue.message);
  return {
    path,
    toError: (names) => {
      const say = (template: string): string => fill(template, path, issue.input, names);
      return new EtherwsError(code, say(sentence), hint === '' ? {} : { hint: say(hint) });
    },
  };
}

function partsOf(message: string): { code: ErrorCode; hint: string; sentence: string } {
  const [code, hint, ...sentence] = message.split(SEPARATOR);
  // A message without a code is valibot's own, and says what it expected.
  if (hint === undefined) return { code: 'ARGUMENT_INVALID', hint: '', sentence: `{name}: ${code}` };
  return { code: code as ErrorCode, hint, sentence: sentence.join(SEPARATOR) };
}

function fill(template: string, path: Path, value: unknown, names: Names): string {
  return template.replace(
    /\{(?:(name)|(quotedName)|(value)|\.(\w+)(:false)?)\}/g,
    (_whole, isName, isQuotedName, isValue, key, isFalse) => {
      if (isName !== undefined) return names(path);
      if (isQuotedName !== undefined) return quote(names(path));
      return isValue === undefined ? names([...path, key as string], isFalse !== undefined) : quote(value);
    },
  );
}

/**
 * Places as JSON has them: `options.alternatives[0]`.
 * @param root what the whole document is called
 */
export function dottedNames(root = 'params'): Names {
  return (path, isFalse = false) => {
    if (path.length === 0) return root;
    const name = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    const whole = root === 'params' ? name.replace(/^\./, '') : `${root}${name}`;
    return isFalse ? `${whole}: false` : whole;
  };
}

/** What an EtherwsError of `parse` says. */
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

/** A value for a message: short, on one line, whatever it is, and without the secrets of a URL. */
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
