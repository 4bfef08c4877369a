import { is } from 'valibot';
import { jsonSchemaOf } from '../schema/json-schema.ts';
import type { Keywords } from '../schema/types.ts';
import { METHOD_PREFIX, METHODS, type MethodName } from './schema.ts';

/** The control API in JSON Schema (draft 2020-12). This module is loaded only when needed. */

/**
 * The JSON Schema of a JSON-RPC call. `$defs` has the parameters and the
 * result of each method, as `addPort.params` and `addPort.result`.
 * @param names the methods to include; default: all
 */
export function callSchema(names: readonly string[] = Object.keys(METHODS)): Keywords {
  const methods = names as readonly MethodName[];
  const definitions: Record<string, Keywords> = {};
  for (const name of methods) {
    definitions[`${name}.params`] = paramsSchema(name);
    definitions[`${name}.result`] = jsonSchemaOf(METHODS[name].result);
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A call of the control API of etherws',
    oneOf: methods.map(callOf),
    $defs: definitions,
  };
}

/** The JSON Schema of a method's parameters. */
export function paramsSchema(name: MethodName): Keywords {
  const { params, takesNothing } = METHODS[name];
  const object = jsonSchemaOf(params);
  if (!mayBeAbsent(name)) return object;
  return { anyOf: [object, { type: 'null' }, ...(takesNothing ? [{ type: 'array', maxItems: 0 }] : [])] };
}

function callOf(name: MethodName): Keywords {
  const { description } = METHODS[name];
  return {
    type: 'object',
    description,
    properties: {
      jsonrpc: { const: '2.0' },
      method: { const: METHOD_PREFIX + name },
      params: { $ref: `#/$defs/${name}.params` },
      id: { type: ['string', 'integer', 'null'] },
    },
    required: ['jsonrpc', 'method', ...(mayBeAbsent(name) ? [] : ['params'])],
  };
}

/** Whether none of the parameters must be given. */
function mayBeAbsent(name: MethodName): boolean {
  return is(METHODS[name].params, undefined);
}
