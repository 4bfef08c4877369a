import * as v from 'valibot';
import { dottedNames, type Names, type Problem, problemOf } from './complaint.ts';
import type { Schema } from './types.ts';

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
