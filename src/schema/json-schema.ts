import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import type { Keywords, Requirement, Schema } from './types.ts';

/** The JSON Schema (draft 2020-12) of the input of `schema`, without rules that have no keywords. */
export function jsonSchemaOf(schema: Schema): Keywords {
  const { $schema: _dialect, ...keywords } = toJsonSchema(schema as GenericSchema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    overrideAction: ({ valibotAction: action, jsonSchema }) => {
      if (action.type === 'to_lower_case' || action.type === 'raw_check') return jsonSchema;
      if (action.type !== 'check') return undefined;
      return merge(jsonSchema, (action as unknown as { requirement: Requirement<unknown> }).requirement.keywords);
    },
  });
  return keywords;
}

function merge(schema: JsonSchema, keywords: Keywords): JsonSchema {
  const { allOf = [], ...others } = keywords as { allOf?: JsonSchema[] };
  const all = [...(schema.allOf ?? []), ...allOf];
  return { ...schema, ...others, ...(all.length === 0 ? {} : { allOf: all }) } as JsonSchema;
}
