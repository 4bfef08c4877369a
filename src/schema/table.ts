import * as v from 'valibot';
import { type Complaint, messageOf, withoutValue } from './check.ts';
import { type Keywords, rule, type Schema } from './types.ts';

/**
 * A row says everything about an option once. The check of the RPC, JSON Schema,
 * the flags of the command line with their help, and the pages of `docs/` are made
 * from it or held to it.
 */
export interface Row<S extends Schema = Schema> {
  /** what a given value must be */
  readonly type: S;
  /** what it does, as the help prints it: no capital, no full stop. For `--no-…` what it does there */
  readonly help: string;
  /** what counts when it is not given */
  readonly default?: unknown;
  /** the same in words, where it depends on something else */
  readonly defaultText?: string;
  /** what a number counts, such as `seconds` */
  readonly unit?: string;
  /** its long option, such as `--mac`, or `--no-wait` for one that is true unless it is given; none: it has no flag */
  readonly flag?: `--${string}`;
  /** what the help writes for the value, such as `ADDRESS`; without one the flag has no value */
  readonly metavar?: string;
  /** what the flag without a value says, where it may stand so */
  readonly bare?: unknown;
  /** the command line takes the number as `0x…`, too */
  readonly hex?: true;
  /** what only the command line has to say, behind the help */
  readonly note?: string;
  /** no message, log or list may repeat it */
  readonly secret?: true;
  /** it must be given */
  readonly required?: true;
  /** `""` counts as not given, as callers of 1.x write it; else only null does */
  readonly emptyIsAbsent?: true;
}

/** Rows by the names that they have in JSON. */
export type Table = Readonly<Record<string, Row>>;

/** The entries of the object that a table describes, as valibot infers types from them. */
export type EntriesOf<T extends Table> = {
  -readonly [K in keyof T]: T[K] extends { required: true }
    ? T[K]['type']
    : v.ExactOptionalSchema<T[K]['type'], undefined>;
};

export type ObjectOf<T extends Table> = v.StrictObjectSchema<EntriesOf<T>, undefined>;

/** The values that a document of this table has. */
export type ValuesOf<T extends Table> = v.InferOutput<ObjectOf<T>>;

export const NO_OBJECT = messageOf({ sentence: '{name} must be an object of named values, got {value}' });

/**
 * An object with the options of a table and no other: a misspelt name must not
 * pass for one that was not given. What was not given is left out.
 * @param describeUnknown what else to say about a name that the table does not have
 */
export function objectOf<const T extends Table>(
  table: T,
  describeUnknown: (key: string) => Complaint | undefined = () => undefined,
): ObjectOf<T> {
  const entries: Record<string, Schema> = {};
  for (const [key, row] of Object.entries(table)) entries[key] = entryOf(row);
  const object = v.strictObject(entries as v.ObjectEntries, ({ path }) => {
    const missing = path?.[0]?.key;
    return missing === undefined ? NO_OBJECT : complaintOfNothing(entries[String(missing)]);
  });
  const strict = {
    ...object,
    '~run': (dataset: { value: unknown }, config: v.Config<v.BaseIssue<unknown>>) => {
      const { value } = dataset;
      const unknown = Object.keys(value ?? {}).find((key) => !Object.hasOwn(table, key));
      if (unknown !== undefined && typeof value === 'object') {
        const complaint = describeUnknown(unknown) ?? unknownName(Object.keys(table));
        return refused(value, { message: messageOf(complaint), key: unknown });
      }
      const result = object['~run'](dataset as never, config);
      if (result.typed) dropAbsent(result.value as Record<string, unknown>);
      return result;
    },
  };
  return withoutLists(strict as unknown as ObjectOf<T>);
}

/** The same schema of an object, to which no list passes for one. */
export function withoutLists<S extends Schema>(schema: S): S {
  return {
    ...schema,
    '~run': (dataset: { value: unknown }, config: never) =>
      Array.isArray(dataset.value)
        ? refused(dataset.value, { message: NO_OBJECT })
        : schema['~run'](dataset as never, config),
  };
}

/** An object with at least these entries; what else it has is kept. */
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

/** The result of a schema that refuses `input`, or what it has under `key`. */
function refused(input: unknown, { message, key }: { message: string; key?: string }): v.UnknownDataset {
  const value = key === undefined ? input : (input as Record<string, unknown>)[key];
  const path = key === undefined ? undefined : [{ type: 'object', origin: 'key', input, key, value }];
  const issue = { kind: 'schema', type: 'strict_object', input: value, expected: null, received: '', message, path };
  return { typed: false, value: input, issues: [issue] } as unknown as v.UnknownDataset;
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

/** Nothing or null, which callers of 1.x send for every option not given, or what `schema` takes. */
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

/** The same schema, whose complaints do not repeat the value. */
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

/** Nothing but null: for options that another kind of object has. */
export function absent(complaint: Complaint, isEmptyAbsent: boolean, more: readonly unknown[] = []): Schema<undefined> {
  const allowed = [null, ...(isEmptyAbsent ? [''] : []), ...more];
  return v.pipe(
    v.unknown(),
    rule((value: unknown) => (allowed.includes(value) ? undefined : complaint), { enum: allowed }),
    v.transform(() => undefined),
  );
}
