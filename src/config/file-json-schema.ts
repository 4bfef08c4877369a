import { jsonSchemaOf } from '../schema/json-schema.ts';
import type { Keywords } from '../schema/types.ts';
import { configurationFile } from './file-schema.ts';
import { fileKey } from './key-names.ts';

/** The JSON Schema of a configuration file, for editors. */
export function fileJsonSchema(): Keywords {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A configuration file of etherws',
    ...(withFileKeys(jsonSchemaOf(configurationFile)) as Keywords),
  };
}

/** The same with the keys that stand in a file. */
function withFileKeys(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withFileKeys);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (keyword === 'required' && Array.isArray(value)) return [keyword, value.map(fileKey)];
      if (keyword !== 'properties') return [keyword, withFileKeys(value)];
      const properties = Object.entries(value as object).map(([key, below]) => [fileKey(key), withFileKeys(below)]);
      return [keyword, Object.fromEntries(properties)];
    }),
  );
}
