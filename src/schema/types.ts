import * as v from 'valibot';
import { type Complaint, messageOf, type Schema } from './check.ts';

export type { Schema };

/** The types of option values: schemas of valibot with messages of ours. */

/** Keywords of JSON Schema. */
export type Keywords = Readonly<Record<string, unknown>>;

/** The requirement of a rule's action, with the keywords that `jsonSchemaOf` reads. */
export interface Requirement<T> {
  (value: T): boolean;
  readonly keywords: Keywords;
}

/**
 * A rule as an action of valibot.
 * @param complain returns undefined for a valid value, else why it is refused
 * @param keywords the rule in JSON Schema, as far as it can be expressed there
 */
export function rule<T>(complain: (value: T) => Complaint | undefined, keywords: Keywords = {}) {
  const requirement: Requirement<T> = Object.assign((value: T) => complain(value) === undefined, { keywords });
  return v.check<T, (issue: v.CheckIssue<T>) => string>(requirement, ({ input }) =>
    messageOf(complain(input) ?? { sentence: '{name} is wrong' }),
  );
}

const NO_TEXT = messageOf({ sentence: '{name} must be a text, got {value}' });

/** A string. */
export const anyText = v.string(NO_TEXT);

/**
 * A string with a rule.
 * @param complaint returns undefined for a valid text, else why it is refused, as the end of a sentence
 */
export function text(complaint: (text: string) => string | undefined, keywords: Keywords = {}) {
  return v.pipe(
    anyText,
    rule((value: string) => {
      const end = complaint(value);
      return end === undefined ? undefined : { sentence: `{name} {value} ${end}` };
    }, keywords),
  );
}

const NO_WHOLE_NUMBER = messageOf({ sentence: '{name} must be a whole number, got {value}' });

export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `below ${least}` : `outside ${least}..${most}`;
  const message = messageOf({ sentence: `{name} {value} is ${range}` });
  return v.pipe(
    v.number(NO_WHOLE_NUMBER),
    v.safeInteger(NO_WHOLE_NUMBER),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

/** As `integer`, with one message for all errors. */
export function wholeNumber(least: number, most: number) {
  const message = messageOf({ sentence: `{name} must be a whole number from ${least} to ${most}, got {value}` });
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(least, message), v.maxValue(most, message));
}

/** A whole number, or its decimal digits as text, which 1.x accepted and shell scripts send. */
export function integerOrDigits(least: number) {
  const digits = '^(?=\\d{1,15}$)0*[1-9]\\d*$';
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,15}$/, NO_WHOLE_NUMBER))], NO_WHOLE_NUMBER),
    v.metadata({
      anyOf: [
        { type: 'integer', minimum: least, maximum: Number.MAX_SAFE_INTEGER },
        { type: 'string', pattern: digits },
      ],
    }),
    v.transform(Number),
    integer(least),
  );
}

/** A number of at least 0: a measured quantity. */
export const measure = (() => {
  const message = messageOf({ sentence: '{name} must be a number of at least 0, got {value}' });
  return v.pipe(v.number(message), v.minValue(0, message));
})();

/** Seconds above 0, with fractions. */
export function seconds(most: number) {
  const message = messageOf({
    sentence: `{name} must be a number of seconds above 0 and up to ${most}, got {value}`,
  });
  return v.pipe(v.number(message), v.gtValue(0, message), v.maxValue(most, message));
}

/** A boolean, or 0 or 1, which clients of 1.x send for `--shut 0|1`. */
export const flag = v.pipe(
  v.union(
    [v.boolean(), v.literal(0), v.literal(1)],
    messageOf({ sentence: '{name} must be true or false, got {value}' }),
  ),
  v.transform((value): boolean => Boolean(value)),
);

export function oneOf<const T extends string>(words: readonly T[]) {
  return v.picklist(words, messageOf({ sentence: `{name} must be one of ${words.join(', ')}, got {value}` }));
}

const NO_LIST = messageOf({ sentence: '{name} must be a list, got {value}' });

/** A list. @param most the greatest number of items */
export function listOf<S extends Schema>(item: S, most: number = Number.MAX_SAFE_INTEGER) {
  return v.pipe(
    v.array(item, NO_LIST),
    v.maxLength(most, ({ input }) => messageOf({ sentence: `{name} has ${input.length} items, more than ${most}` })),
  );
}

/** An object with arbitrary keys, such as counters by reason. */
export function tableOf<S extends Schema>(value: S) {
  return v.record(v.string(), value, messageOf({ sentence: '{name} must be an object of named values, got {value}' }));
}
