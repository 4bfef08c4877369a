import * as v from 'valibot';
import { type Complaint, messageOf, withoutValue } from './check.ts';
import { type Keywords, rule, type Schema } from './types.ts';

/**
 * A row describes one option completely. The check of the RPC, the JSON Schema, and
 * the flags of the command line with their help are made from it, and tests compare
 * the pages of `docs/` with it.
 */
export interface Row<S extends Schema = Schema> {
  /** the schema of its values */
  readonly type: S;
  /** the text of the help: no capital, no full stop. For `--no-…` it describes the flag */
  readonly help: string;
  /** the value when the option is absent */
  readonly default?: unknown;
  /** the default in words, if it depends on something else */
  readonly defaultText?: string;
  /** the unit of a number, such as `seconds` */
  readonly unit?: string;
  /** its long option, such as `--mac`; `--no-wait` for an option that is true by default; undefined: no flag */
  readonly flag?: `--${string}`;
  /** the placeholder of the value in the help, such as `ADDRESS`; undefined: the flag has no value */
  readonly metavar?: string;
  /** the value of the flag without a value; undefined: the flag needs one */
  readonly bare?: unknown;
  /** the command line accepts the number also as `0x…` */
  readonly hex?: true;
  /** text that only the help of the command line has, behind `help` */
  readonly note?: string;
  /** it names a file: `read` if the file must exist, `made` if the switch creates it */
  readonly file?: 'read' | 'made';
  /** its value is an object of these: a setting is `NAME=VALUE` on the command line, with the names of their flags */
  readonly rows?: Readonly<Record<string, Row>>;
  /** its value is in no message, log or list */
  readonly secret?: true;
  /** it must be given */
  readonly required?: true;
  /** what is said when it must be given and is not; default: what `type` says of nothing */
  readonly missing?: Complaint;
  /** `""` means absent, as callers of 1.x write it; otherwise only null does */
  readonly emptyIsAbsent?: true;
}

/** Rows by their names in JSON. */
export type Table = Readonly<Record<string, Row>>;

/** The entries of the object that a table describes, as valibot infers types from them. */
export type EntriesOf<T extends Table> = {
  -readonly [K in keyof T]: T[K] extends { required: true }
    ? T[K]['type']
    : v.ExactOptionalSchema<T[K]['type'], undefined>;
};

export type ObjectOf<T extends Table> = v.StrictObjectSchema<EntriesOf<T>, undefined>;

/** The type of a checked document of this table. */
export type ValuesOf<T extends Table> = v.InferOutput<ObjectOf<T>>;

export const NO_OBJECT = messageOf({ sentence: '{name} must be an object of named values, got {value}' });

/**
 * The schema of an object with the options of a table and no others, so that a misspelt
 * name is an error. Absent options are not in the output.
 * @param describeUnknown a message for an unknown name, instead of the default one
 */
export function objectOf<const T extends Table>(
  table: T,
  describeUnknown: (key: string) => Complaint | undefined = () => undefined,
): ObjectOf<T> {
  const entries: Record<string, Schema> = {};
  for (const [key, row] of Object.entries(table)) entries[key] = entryOf(row);
  const object = v.strictObject(entries as v.ObjectEntries, ({ path }) => {
    const missing = path?.[0]?.key;
    if (missing === undefined) return NO_OBJECT;
    const complaint = table[String(missing)]?.missing;
    return complaint === undefined ? complaintOfNothing(entries[String(missing)]) : messageOf(complaint);
  });
  const strict = {
    ...object,
    '~run': (dataset: { value: unknown }, config: v.Config<v.BaseIssue<unknown>>) => {
      const { value } = dataset;
      const unknown = typeof value === 'object' ? unknownKeys(value, table) : [];
      const complaints = unknown.map((key) => {
        const message = messageOf(describeUnknown(key) ?? unknownName(Object.keys(table)));
        return issueAbout(value, { message, key, known: Object.keys(table) });
      });
      if (complaints.length > 0 && config.abortEarly === true) return refusal(value, complaints.slice(0, 1));
      const result = object['~run'](without(dataset, unknown) as never, config);
      if (complaints.length > 0) return refusal(value, [...complaints, ...(result.issues ?? [])]);
      if (result.typed) dropAbsent(result.value as Record<string, unknown>);
      return result;
    },
  };
  return withoutLists(strict as unknown as ObjectOf<T>);
}

/** The same schema of an object, but it refuses arrays. */
export function withoutLists<S extends Schema>(schema: S): S {
  return {
    ...schema,
    '~run': (dataset: { value: unknown }, config: never) =>
      Array.isArray(dataset.value)
        ? refusal(dataset.value, [issueAbout(dataset.value, { message: NO_OBJECT })])
        : schema['~run'](dataset as never, config),
  };
}

/** An object with at least these entries; further ones are kept. */
export function atLeast<const E extends v.ObjectEntries>(entries: E) {
  return v.looseObject(entries, ({ path }: v.LooseObjectIssue) => {
    const missing = path?.[0]?.key;
    return missing === undefined ? NO_OBJECT : complaintOfNothing(entries[String(missing)]);
  });
}

function unknownName(known: readonly string[]): Complaint {
  const hint = known.length === 0 ? 'It takes none' : `It takes ${known.join(', ')}`;
  return { sentence: 'Unknown parameter {quotedName}', hint };
}

function unknownKeys(value: object | null, table: Table): string[] {
  return Object.keys(value ?? {}).filter((key) => !Object.hasOwn(table, key));
}

/** The same without the keys that were told of already. */
function without(dataset: { value: unknown }, keys: readonly string[]): { value: unknown } {
  if (keys.length === 0) return dataset;
  return { value: Object.fromEntries(Object.entries(dataset.value as object).filter(([key]) => !keys.includes(key))) };
}

/** What is wrong with `input`, or with what it has under `key`. */
interface Fault {
  readonly message: string;
  readonly key?: string;
  /** for a key that the table does not have: those that it has */
  readonly known?: readonly string[];
}

function issueAbout(input: unknown, { message, key, known }: Fault): v.BaseIssue<unknown> {
  const value = key === undefined ? input : (input as Record<string, unknown>)[key];
  const path = key === undefined ? undefined : [{ type: 'object', origin: 'key', input, key, value }];
  const issue = { kind: 'schema', type: 'strict_object', input: value, expected: null, received: '', message, path };
  return { ...issue, ...(known === undefined ? {} : { known }) } as unknown as v.BaseIssue<unknown>;
}

/** The result of a schema that refuses `value`. */
function refusal(value: unknown, issues: readonly v.BaseIssue<unknown>[]): v.UnknownDataset {
  return { typed: false, value, issues } as unknown as v.UnknownDataset;
}

function complaintOfNothing(schema: Schema | undefined): string {
  const result = schema === undefined ? undefined : v.safeParse(schema, undefined);
  return result?.issues?.[0].message ?? messageOf({ sentence: '{name} is missing' });
}

function dropAbsent(object: Record<string, unknown>): void {
  for (const key of Object.keys(object)) if (object[key] === undefined) delete object[key];
}

/** The schema of one option in its object. */
function entryOf(row: Row): Schema {
  const type = row.secret === true ? hidden(row.type) : row.type;
  const words = v.metadata(keywordsOf(row));
  if (row.required === true) return v.pipe(type as v.GenericSchema, words);
  return v.pipe(absentOr(type as v.GenericSchema, row.emptyIsAbsent === true), words);
}

function keywordsOf({ help, flag, default: fallback, unit, secret }: Row): Keywords {
  const description = flag?.startsWith('--no-') === true ? `false: ${help}` : help;
  return {
    description: unit === undefined ? description : `${description} (${unit})`,
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(secret === true ? { writeOnly: true } : {}),
  };
}

/** `schema`, or absent: undefined, or null, which callers of 1.x send for each option not given. */
function absentOr<S extends v.GenericSchema>(schema: S, isEmptyAbsent: boolean): v.GenericSchema {
  const nullish = v.nullish(isEmptyAbsent ? v.union([v.literal(''), schema]) : schema);
  return {
    ...nullish,
    '~run': (dataset, config) => {
      const { value } = dataset;
      const isAbsent = value === undefined || value === null || (isEmptyAbsent && value === '');
      if (isAbsent) return { typed: true, value: undefined } as v.SuccessDataset<undefined>;
      return schema['~run'](dataset, config);
    },
  } as v.GenericSchema;
}

/** The same schema, but its messages do not contain the value. */
function hidden(schema: Schema): Schema {
  return {
    ...schema,
    '~run': (dataset: never, config: never) => {
      const result = schema['~run'](dataset, config);
      const issues: { message: string }[] = result.issues ?? [];
      for (const issue of issues) issue.message = withoutValue(issue.message);
      return result;
    },
  } as unknown as Schema;
}

/** A schema that accepts only null, for options of another kind of object. @param more further accepted values */
export function absent(complaint: Complaint, isEmptyAbsent: boolean, more: readonly unknown[] = []): Schema<undefined> {
  const allowed = [null, ...(isEmptyAbsent ? [''] : []), ...more];
  return v.pipe(
    v.unknown(),
    rule((value: unknown) => (allowed.includes(value) ? undefined : complaint), { enum: allowed }),
    v.transform(() => undefined),
  );
}
