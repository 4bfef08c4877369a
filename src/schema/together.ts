import * as v from 'valibot';
import type { Complaint } from './check.ts';
import { type Keywords, rule, type Schema } from './types.ts';

/** A rule about several options of one object. */
export interface Together<T> {
  /** @returns what is wrong; undefined or false for nothing */
  complain(values: T): Complaint | undefined | false;
  /** the same in JSON Schema, where that can say it */
  readonly keywords?: Keywords;
}

/** The same object, whose options have to fit together. Each rule says for itself what is wrong. */
export function together<S extends Schema>(schema: S, rules: readonly Together<v.InferOutput<S>>[]): S {
  let result = schema as v.GenericSchema;
  for (const { complain, keywords } of rules) {
    const all = keywords === undefined ? {} : { allOf: [keywords] };
    result = v.pipe(
      result,
      rule((values) => complain(values as v.InferOutput<S>) || undefined, all),
    );
  }
  return result as unknown as S;
}

/** JSON Schema for an object in which `key` is given. */
export function given(key: string): Keywords {
  return { required: [key], properties: { [key]: { not: { type: 'null' } } } };
}

/** JSON Schema: where `condition` holds, `consequence` must. */
export function implies(condition: Keywords, consequence: Keywords): Keywords {
  return { anyOf: [{ not: condition }, consequence] };
}
